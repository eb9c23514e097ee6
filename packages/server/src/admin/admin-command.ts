import { SeshatError } from "@seshat/common";
import type { NodeId } from "@seshat/common";
import { until } from "@seshat/raft";
import type { RespValue } from "@seshat/resp";
import type { Client } from "../client/client.js";
import { isAddress } from "../cluster/host-and-port.js";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "../commands/command-error.js";
import type { LocalCommand, LocalReply } from "../commands/local-command.js";
import { localCommands } from "../commands/local-command.js";
import { OK, bulk, integer, latin1, word } from "../commands/text.js";
import { unknownSubcommand } from "../commands/unknown-command.js";
import type { Args } from "../gateway/op.js";
import type { ServerNode } from "../node/type-config.js";
import type { ServerContext } from "../server/context.js";
import { beginBackup, readBackup } from "./backup.js";
import { catchUp } from "./catch-up.js";
import { isNew, serverStatus } from "./status.js";

/** How long a change of the membership may take that waits for nobody who is new, in milliseconds. */
const CHANGE_MS = 10_000;

type Run = (server: ServerContext, args: Args, client: Client) => LocalReply | Promise<LocalReply>;

const SUBCOMMANDS: Readonly<
  Record<string, { readonly arity: number; readonly summary: string; readonly run: Run }>
> = {
  status: {
    arity: 2,
    summary: "What this node knows of itself and its cluster, as JSON",
    run: (server) => bulk(JSON.stringify(serverStatus(server))),
  },
  bootstrap: {
    arity: -5,
    summary: "Founds a cluster of new nodes: <id> <address for peers> <address for clients>, and again",
    run: bootstrap,
  },
  add: {
    arity: 5,
    summary:
      "Makes a new node a member that votes, once it has caught up: <id> <address for peers> <address for clients>",
    run: add,
  },
  move: {
    arity: 5,
    summary: "Tells where a member is now: <id> <address for peers> <address for clients>",
    run: move,
  },
  remove: { arity: 3, summary: "Takes a node out of the cluster: <id>", run: remove },
  transfer: { arity: -2, summary: "Hands the leadership over: [<id>]", run: transfer },
  snapshot: {
    arity: 2,
    summary: "Takes a snapshot of everything applied so far on this node",
    run: async ({ node }) => bulk(String((await node.raft.trigger.snapshot()).index)),
  },
  backup: { arity: -2, summary: "Takes a snapshot to be read by BACKUP READ <offset> <length>", run: backup },
};

/** SESHAT: what operators do, by this program's own command line mostly. Only for clients that gave the password, or are on this machine. */
export const ADMIN_COMMANDS: readonly LocalCommand[] = localCommands("server", [
  {
    name: "seshat",
    arity: -2,
    flags: "admin noscript loading stale no_multi",
    since: "7.0.0",
    summary: "A container for commands of operators",
    subcommands: Object.entries(SUBCOMMANDS).map(([name, { arity, summary }]) => ({
      name,
      arity,
      flags: "admin noscript loading stale",
      summary,
    })),
    run: runAdmin,
  },
]);

async function runAdmin(client: Client, args: Args, server: ServerContext): Promise<LocalReply> {
  const found = SUBCOMMANDS[word(args, 1)];
  if (found === undefined) throw new CommandError(unknownSubcommand(args));
  if (found.arity >= 0 ? args.length !== found.arity : args.length < -found.arity) {
    throw new CommandError(`ERR wrong number of arguments for 'seshat|${word(args, 1)}' command`);
  }
  if (server.limits.password === "" && !client.state.isLoopback) {
    throw new CommandError("NOPERM this is for clients on the same machine, or with a password");
  }
  try {
    return await found.run(server, args, client);
  } catch (error) {
    if (!(error instanceof SeshatError)) throw error;
    throw new CommandError(`${CODES[error.code] ?? "ERR"} ${error.message}`);
  }
}

/** What an operator's program has to tell apart. */
const CODES: Readonly<Record<string, string>> = {
  notLeader: "NOTLEADER",
  unknownOutcome: "UNKNOWN",
  quorumNotEnough: "NOQUORUM",
};

/**
 * The answer waits until somebody leads, so that whoever goes on finds a cluster that serves. That it was founded is certain before: when nobody
 * comes to lead in time, the answer is the same.
 */
async function bootstrap({ node, self, commandTimeoutMs }: ServerContext, args: Args): Promise<RespValue> {
  if ((args.length - 2) % 3 !== 0) throw new CommandError(SYNTAX_ERROR);
  const members: (readonly [NodeId, ServerNode])[] = [];
  for (let i = 2; i < args.length; i += 3) members.push(memberAt(args, i));
  const metrics = node.raft.metrics();
  if (!isNew(metrics))
    throw new CommandError("ERR this node belongs to a cluster already: it cannot found a second one");
  const own = members.find(([id]) => id === metrics.id);
  if (own === undefined || own[1].addr !== self.addr) {
    throw new CommandError(`ERR this node, ${metrics.id} at ${self.addr}, has to be one of the founders`);
  }
  await node.raft.initialize(members);
  const timeoutMs = commandTimeoutMs;
  await node.raft.wait(until.leader(), timeoutMs).catch(() => {});
  // An entry of its own term is committed: the leader has reached a majority by the way that writes take.
  await node.raft.ensureLinearizable({ timeoutMs }).catch(() => {});
  return OK;
}

async function add({ node, commandTimeoutMs }: ServerContext, args: Args): Promise<RespValue> {
  const [id, member] = memberAt(args, 2);
  const { raft } = node;
  const { nodes } = raft.metrics().membership.membership;
  const own = nodes.get(raft.id);
  const lost = [own?.addr ?? "", own?.clientAddr ?? ""].find(isAnywhere);
  if (lost !== undefined) {
    throw new CommandError(
      `ERR nobody else finds this node, which is known at ${lost}: start it with peers.advertise and clients.advertise, and tell the cluster by joining it once more`,
    );
  }
  const known = nodes.get(id);
  if (known !== undefined && known.addr !== member.addr) {
    throw new CommandError(`ERR node ${id} is a member already, at ${known.addr}`);
  }
  await raft.addLearner(id, member, { timeoutMs: CHANGE_MS });
  await catchUp(raft, id, commandTimeoutMs);
  await raft.changeMembership({ type: "addVoters", ids: [id] }, { timeoutMs: CHANGE_MS });
  return OK;
}

async function move({ node }: ServerContext, args: Args): Promise<RespValue> {
  const [id, member] = memberAt(args, 2);
  if (!node.raft.metrics().membership.membership.nodes.has(id))
    throw new CommandError(`ERR node ${id} is no member`);
  await node.raft.changeMembership({ type: "setNodes", nodes: [[id, member]] }, { timeoutMs: CHANGE_MS });
  return OK;
}

async function remove({ node }: ServerContext, args: Args): Promise<RespValue> {
  const id = nodeIdAt(args, 2);
  const { raft } = node;
  const { nodes, configs } = raft.metrics().membership.membership;
  if (!nodes.has(id)) throw new CommandError(`ERR node ${id} is no member`);
  if (configs.length === 1 && configs[0]?.length === 1 && configs[0].includes(id)) {
    throw new CommandError(`ERR node ${id} is the last that votes: without it there is no cluster`);
  }
  const ids = [id];
  const changes = [{ type: "removeVoters", ids } as const, { type: "removeNodes", ids } as const];
  await raft.changeMembership({ type: "batch", changes }, { timeoutMs: CHANGE_MS });
  return OK;
}

async function transfer({ node }: ServerContext, args: Args): Promise<RespValue> {
  await node.raft.transferLeader(args.length > 2 ? { to: nodeIdAt(args, 2) } : {});
  return node.raft.leaderId();
}

async function backup(server: ServerContext, args: Args, client: Client): Promise<RespValue> {
  if (args.length === 2) return beginBackup(server, client);
  const [offset, length] = [integer(args[3]), integer(args[4])];
  if (word(args, 2) !== "read" || args.length !== 5) throw new CommandError(SYNTAX_ERROR);
  if (offset === null || length === null || offset < 0 || length < 1) throw new CommandError(NOT_AN_INTEGER);
  return readBackup(client, offset, length);
}

/** It stands for every address of a machine: enough to listen at, and for nobody else to come to. */
function isAnywhere(address: string): boolean {
  return /^(?:0\.0\.0\.0|\[::\]):/.test(address);
}

function nodeIdAt(args: Args, index: number): NodeId {
  const id = integer(args[index]);
  if (id === null || id < 1)
    throw new CommandError("ERR the number of a node is a whole number of at least 1");
  return id;
}

function memberAt(args: Args, index: number): readonly [NodeId, ServerNode] {
  const [addr, clientAddr] = [latin1(args[index + 1]), latin1(args[index + 2])];
  for (const address of [addr, clientAddr]) {
    if (!isAddress(address)) throw new CommandError(`ERR ${address} is no address such as 10.0.0.1:7000`);
    if (isAnywhere(address)) {
      throw new CommandError(
        `ERR nobody finds a node at ${address}: say where it is, by peers.advertise and clients.advertise`,
      );
    }
  }
  return [nodeIdAt(args, index), { addr, clientAddr }];
}
