import { voterIds } from "@seshat/common";
import type { Client } from "../client/client.js";
import type { Args } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { hostAndPort } from "../cluster/host-and-port.js";
import { runCommandCommand } from "./command-command.js";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./command-error.js";
import { runConfig } from "./config-command.js";
import { info } from "./info.js";
import type { LocalCommand, LocalReply } from "./local-command.js";
import { localCommands } from "./local-command.js";
import { OK, bulk, integer, word } from "./text.js";
import { unknownSubcommand } from "./unknown-command.js";

/** Commands about the server. */
export const SERVER_COMMANDS: readonly LocalCommand[] = localCommands("server", [
  {
    name: "info",
    arity: -1,
    flags: "loading stale",
    summary: "Get information and statistics about the server",
    run: info,
  },
  {
    name: "command",
    arity: -1,
    flags: "loading stale",
    since: "2.8.13",
    summary: "Get array of command details",
    subcommands: ["count", "info", "list", "docs", "getkeys", "help"].map((name) => ({
      name,
      arity: name === "count" || name === "help" ? 2 : name === "getkeys" ? -4 : -2,
      flags: "loading stale",
      summary: `COMMAND ${name.toUpperCase()}`,
    })),
    run: runCommandCommand,
  },
  {
    name: "config",
    arity: -2,
    flags: "admin noscript loading stale",
    since: "2.0.0",
    lane: "write",
    summary: "A container for server configuration commands",
    subcommands: ["get", "set", "resetstat", "rewrite", "help"].map((name) => ({
      name,
      arity: name === "get" ? -3 : name === "set" ? -4 : 2,
      flags: "admin noscript loading stale",
      summary: `CONFIG ${name.toUpperCase()}`,
    })),
    run: runConfig,
  },
  {
    name: "time",
    arity: 1,
    flags: "loading stale fast",
    since: "2.6.0",
    summary: "Return the current server time",
    run: (_client, _args, { now }) => {
      const ms = now();
      return [bulk(String(Math.floor(ms / 1000))), bulk(String((ms % 1000) * 1000))];
    },
  },
  {
    name: "debug",
    arity: -2,
    flags: "admin noscript loading stale",
    summary: "A container for debugging commands",
    run: () => {
      throw new CommandError("ERR DEBUG command not allowed. This server has none.");
    },
  },
  {
    name: "function",
    arity: -2,
    flags: "noscript",
    since: "7.0.0",
    summary: "A container for function commands",
    run: runFunction,
  },
  {
    name: "wait",
    arity: 3,
    flags: "noscript no_multi",
    group: "generic",
    since: "3.0.0",
    summary:
      "Wait for the synchronous replication of all the write commands sent in the context of the current connection",
    run: wait,
  },
  {
    name: "role",
    arity: 1,
    flags: "noscript loading stale fast",
    since: "2.8.12",
    summary: "Return the role of the instance in the context of replication",
    run: role,
  },
  {
    name: "lolwut",
    arity: -1,
    flags: "readonly fast",
    since: "5.0.0",
    summary: "Display some computer art and the version",
    run: (_client, _args, { version }) => ({
      type: "verbatim",
      format: "txt",
      text: bulk(
        `Seshat, she who is foremost in the house of books, counts the years.\n\nSeshat ver. ${version}\n`,
      ),
    }),
  },
]);

/** There are no functions here: to delete all of them is done at once. */
function runFunction(_client: Client, args: Args): LocalReply {
  switch (word(args, 1)) {
    case "flush":
      if (args.length > 3 || (args.length === 3 && !["sync", "async"].includes(word(args, 2)))) {
        throw new CommandError("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
      }
      return OK;
    case "list":
      return [];
    default:
      throw new CommandError(unknownSubcommand(args));
  }
}

/** How often it is looked whether the followers have caught up, in milliseconds. */
const LOOK_MS = 10;
const LONGEST_WAIT_MS = 60_000;

/**
 * WAIT. What was answered before is on a majority already, which is what it says at once; for more it waits, on the leader, as long as it is told to.
 */
async function wait(_client: Client, args: Args, { node }: ServerContext): Promise<LocalReply> {
  const [wanted, timeoutMs] = [integer(args[1]), integer(args[2])];
  if (wanted === null) throw new CommandError(NOT_AN_INTEGER);
  if (timeoutMs === null) throw new CommandError("ERR timeout is not an integer or out of range");
  if (timeoutMs < 0) throw new CommandError("ERR timeout is negative");
  const { raft } = node;
  const { lastApplied, membership } = raft.metrics();
  const sure = Math.floor(voterIds(membership.membership).length / 2);
  const until = performance.now() + Math.min(timeoutMs === 0 ? LONGEST_WAIT_MS : timeoutMs, LONGEST_WAIT_MS);
  for (;;) {
    const { replication } = raft.metrics();
    const caughtUp = [...(replication?.values() ?? [])].filter(
      ({ matchIndex }) => matchIndex >= lastApplied.index,
    );
    const count = Math.max(sure, caughtUp.length);
    if (count >= wanted || replication === null || replication.size < wanted || performance.now() >= until)
      return count;
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}

function role(_client: Client, args: Args, { node }: ServerContext): LocalReply {
  if (args.length !== 1) throw new CommandError(SYNTAX_ERROR);
  const { currentLeader, membership, lastApplied, replication, id } = node.raft.metrics();
  if (currentLeader === id) {
    const followers = [...(replication ?? [])].map(([follower, { matchIndex }]) => {
      const [host, port] = hostAndPort(membership.membership.nodes.get(follower)?.clientAddr);
      return [bulk(host), bulk(port), bulk(String(matchIndex))];
    });
    return [bulk("master"), lastApplied.index, followers];
  }
  const leader = currentLeader === null ? undefined : membership.membership.nodes.get(currentLeader);
  const [host, port] = hostAndPort(leader?.clientAddr);
  const state = currentLeader === null ? "connect" : "connected";
  return [bulk("slave"), bulk(host), Number(port), bulk(state), lastApplied.index];
}
