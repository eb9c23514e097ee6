import type { RespValue } from "@seshat/resp";
import type { Client } from "../client/client.js";
import { QueuedTransaction } from "../client/client-state.js";
import type { TransactionPart } from "@seshat/kv";
import type { Args } from "../gateway/op.js";
import { sizeOfArgs, sizeOfWrite } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { CommandError } from "./command-error.js";
import type { LocalCommand, LocalReply } from "./local-command.js";
import { NO_REPLY, localCommands } from "./local-command.js";
import { OK, latin1 } from "./text.js";

/** MULTI and its like. The commands between MULTI and EXEC go into the log as one. */
export const TRANSACTION_COMMANDS: readonly LocalCommand[] = localCommands("transactions", [
  {
    name: "multi",
    arity: 1,
    flags: "noscript loading stale fast allow_busy",
    since: "1.2.0",
    lane: "any",
    isImmediate: true,
    summary: "Mark the start of a transaction block",
    run: ({ state }) => {
      if (state.transaction !== null) throw new CommandError("ERR MULTI calls can not be nested");
      state.transaction = new QueuedTransaction();
      return OK;
    },
  },
  {
    name: "exec",
    arity: 1,
    flags: "noscript loading stale skip_slowlog",
    since: "1.2.0",
    lane: "write",
    isImmediate: true,
    summary: "Execute all commands issued after MULTI",
    run: exec,
  },
  {
    name: "discard",
    arity: 1,
    flags: "noscript loading stale fast allow_busy",
    since: "2.0.0",
    isImmediate: true,
    summary: "Discard all commands issued after MULTI",
    run: (client) => {
      if (client.state.transaction === null) throw new CommandError("ERR DISCARD without MULTI");
      client.state.transaction = null;
      unwatch(client);
      return OK;
    },
  },
  {
    name: "watch",
    arity: -2,
    flags: "noscript loading stale fast allow_busy",
    since: "2.2.0",
    lane: "read",
    isImmediate: true,
    summary: "Watch the given keys to determine execution of the MULTI/EXEC block",
    run: watch,
  },
  {
    name: "unwatch",
    arity: 1,
    flags: "noscript loading stale fast allow_busy",
    since: "2.2.0",
    summary: "Forget about all watched keys",
    run: (client) => {
      unwatch(client);
      return OK;
    },
  },
]);

/** Keys that one client watches. */
const MAX_WATCHED = 65_536;

export function unwatch({ state }: Client): void {
  state.watched.clear();
}

function watch(client: Client, args: Args): LocalReply {
  const { state } = client;
  if (state.transaction !== null) throw new CommandError("ERR WATCH inside MULTI is not allowed");
  const keys = args.slice(1).map((key) => new Uint8Array(key));
  if (state.watched.size + keys.length > MAX_WATCHED) {
    throw new CommandError(`ERR more than ${MAX_WATCHED} keys are watched`);
  }
  client.read({ versionsOf: keys }, sizeOfArgs(keys), (reply) => {
    if (!Array.isArray(reply)) return reply;
    for (const [i, key] of keys.entries()) {
      const name = latin1(key);
      // A key that was watched before keeps the version of that time.
      if (!state.watched.has(name)) state.watched.set(name, [key, Number(reply[i])]);
    }
    return OK;
  });
  return NO_REPLY;
}

function exec(client: Client, _args: Args, server: ServerContext): LocalReply {
  const { state } = client;
  const { transaction } = state;
  if (transaction === null) throw new CommandError("ERR EXEC without MULTI");
  const watched = [...state.watched.values()].map(([key, version]) => ({ key, version }));
  state.transaction = null;
  unwatch(client);
  if (transaction.isBroken)
    throw new CommandError("EXECABORT Transaction discarded because of previous errors.");
  const { queue } = transaction;
  const commands = queue.filter(({ route }) => route.route !== "local").map(({ args }) => args);
  const op: TransactionPart = { type: "transaction", commands, watched };
  client.write(op, sizeOfWrite(op), (reply) => {
    // An error of the transaction as a whole, or one of the watched keys has changed.
    if (!Array.isArray(reply) || commands.length === queue.length) return reply;
    let next = 0;
    return queue.map(({ route, args }): RespValue => {
      if (route.route !== "local") return reply[next++] as RespValue;
      return runQueued(client, route.spec, args, server);
    });
  });
  return NO_REPLY;
}

/** Carries out a command of a transaction that is not about data. */
function runQueued(client: Client, spec: LocalCommand, args: Args, server: ServerContext): RespValue {
  const { state } = client;
  state.isExecuting = true;
  try {
    const reply = spec.run(client, args, server);
    if (reply instanceof Promise) {
      reply.catch(() => {});
      return { type: "error", message: "ERR this command is not allowed in transactions" };
    }
    return reply === NO_REPLY ? OK : reply;
  } catch (error) {
    return { type: "error", message: error instanceof CommandError ? error.message : `ERR ${String(error)}` };
  } finally {
    state.isExecuting = false;
  }
}
