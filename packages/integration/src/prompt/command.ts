import type { NodeId } from "@seshat/common";
import { latin1 } from "./ascii.js";
import { BadLineError } from "./bad-line-error.js";
import { quote } from "./quote.js";

/** A line of the prompt, understood. */
export type Command =
  | { readonly type: "set"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "get"; readonly key: Uint8Array }
  | { readonly type: "del"; readonly keys: readonly Uint8Array[] }
  | { readonly type: "exists"; readonly keys: readonly Uint8Array[] }
  | { readonly type: "status" }
  | { readonly type: "watch"; readonly intervalMs: number }
  | { readonly type: "add"; readonly node: NodeId | null }
  | { readonly type: "remove"; readonly node: NodeId }
  | { readonly type: "transfer"; readonly node: NodeId | null }
  | { readonly type: "snapshot"; readonly node: NodeId | null }
  | { readonly type: "purge"; readonly node: NodeId | null }
  | { readonly type: "restart"; readonly node: NodeId | null }
  | { readonly type: "kill"; readonly node: NodeId }
  | { readonly type: "partition"; readonly groups: readonly (readonly NodeId[])[] }
  | { readonly type: "heal" }
  | { readonly type: "help"; readonly topic: CommandSpec | null }
  | { readonly type: "quit" };

/** How a command is called and what it does, for parsing, for help and for completion. */
export interface CommandSpec {
  /** In capitals; it may be written in any case. */
  readonly name: string;
  /** Its arguments, e.g. `"key value"`; empty when it has none. */
  readonly usage: string;
  /** What it does, in one phrase. */
  readonly summary: string;
  /** What more there is to know, for HELP about this command alone; lines of at most 100 columns. */
  readonly details?: string;
  readonly minArguments: number;
  readonly maxArguments: number;
  /** Makes the command from its arguments, of which there are neither too few nor too many. */
  readonly make: (args: readonly Uint8Array[]) => Command;
}

function plain(name: string, summary: string, command: Command): CommandSpec {
  return { name, usage: "", summary, minArguments: 0, maxArguments: 0, make: () => command };
}

function first(args: readonly Uint8Array[]): Uint8Array {
  return args[0] as Uint8Array;
}

/** What a command on nodes is made of. */
interface NodeCommandParts {
  readonly name: string;
  readonly summary: string;
  readonly details: string;
}

/** A command that is given a node. */
function onNode(parts: NodeCommandParts, make: (node: NodeId) => Command): CommandSpec {
  const spec = { ...parts, usage: "node", minArguments: 1, maxArguments: 1 };
  return { ...spec, make: (args) => make(parseNode(parts.name, first(args))) };
}

/** A command that may be given a node. */
function onAnyNode(parts: NodeCommandParts, make: (node: NodeId | null) => Command): CommandSpec {
  const spec = { ...parts, usage: "[node]", minArguments: 0, maxArguments: 1 };
  return {
    ...spec,
    make: (args) => make(args.length === 0 ? null : parseNode(parts.name, first(args))),
  };
}

const DATA_COMMANDS: readonly CommandSpec[] = [
  {
    name: "SET",
    usage: "key value",
    summary: "replicate a value under a key",
    minArguments: 2,
    maxArguments: 2,
    make: (args) => ({ type: "set", key: first(args), value: args[1] as Uint8Array }),
  },
  {
    name: "GET",
    usage: "key",
    summary: "the value under a key, or (nil); a linearizable read",
    minArguments: 1,
    maxArguments: 1,
    make: (args) => ({ type: "get", key: first(args) }),
  },
  {
    name: "DEL",
    usage: "key [key ...]",
    summary: "remove keys; answers how many were there",
    minArguments: 1,
    maxArguments: Number.POSITIVE_INFINITY,
    make: (args) => ({ type: "del", keys: args }),
  },
  {
    name: "EXISTS",
    usage: "key [key ...]",
    summary: "how many of the keys are there; one given twice counts twice",
    minArguments: 1,
    maxArguments: Number.POSITIVE_INFINITY,
    make: (args) => ({ type: "exists", keys: args }),
  },
];

/** How often a watch looks, in milliseconds. */
const WATCH_INTERVAL_MS = { default: 200, min: 10, max: 60_000 } as const;

const CLUSTER_COMMANDS: readonly CommandSpec[] = [
  {
    name: "STATUS",
    usage: "[--watch [ms]]",
    summary: "every node: role, term, log, snapshot, lag; who belongs, which links are cut",
    details: `With --watch it looks again every ms milliseconds (${WATCH_INTERVAL_MS.default} by default, ${WATCH_INTERVAL_MS.min} to ${WATCH_INTERVAL_MS.max}). On a terminal the table is drawn
in place until a key is pressed. Otherwise there is one status for each change, until 10 looks in a row show
none, and after 100 looks at the latest.
Columns: member voter, learner or none; log ids are term-index; lag is how many committed entries a node
has yet to apply; mode is how the leader reaches it: probe (looking for where the logs meet, or no answer),
pipeline (in step) or snapshot (with how much of it has arrived).`,
    minArguments: 0,
    maxArguments: 2,
    make: parseStatus,
  },
  onAnyNode(
    {
      name: "ADD",
      summary: "start an empty node and make it a voter; without a number the next one",
      details: `The node starts with nothing, is made a learner, which gets the log but does not vote, and a voter once it
has caught up: the voters change through a joint membership, in which old and new majorities must both
agree. Reads and writes go on. When it fails half-way the error says what the node is now: ADD it again to
go on, or REMOVE it. Example: ADD 4`,
    },
    (node) => ({ type: "add", node }),
  ),
  onNode(
    {
      name: "REMOVE",
      summary: "take a node out of the cluster, the leader too, and stop it for good",
      details: `Unlike KILL it changes who votes: of 5 nodes without 2 a majority is 2 of 3. The last voter cannot be
removed. A leader that is removed hands over first. The number may be added again: as a new, empty node.
Example: REMOVE 1`,
    },
    (node) => ({ type: "remove", node }),
  ),
  onAnyNode(
    {
      name: "TRANSFER",
      summary: "hand the leadership to a node; without a number to the one with most of the log",
      details: `The leader stops taking writes, brings the node up to date and tells it to stand for election at once. When
that has not worked within a second the leader serves again. Writes wait meanwhile and lose nothing.
Example: TRANSFER 2`,
    },
    (node) => ({ type: "transfer", node }),
  ),
  onAnyNode(
    {
      name: "SNAPSHOT",
      summary: "take a snapshot on one node, or on all that run; the log behind it is purged",
      details: `A snapshot is the state of the node after an entry: it stands for all of the log up to there. The last
entries, as many as --keep says, stay in the log for nodes that are a little late. Example: SNAPSHOT 1`,
    },
    (node) => ({ type: "snapshot", node }),
  ),
  onAnyNode(
    {
      name: "PURGE",
      summary: "drop from the log of a node, or of all that run, everything its snapshot holds",
      details: `Also the entries that --keep keeps. A node that lacks some of them is sent the snapshot by the leader.
Example: SNAPSHOT 1, then PURGE 1`,
    },
    (node) => ({ type: "purge", node }),
  ),
  onNode(
    {
      name: "KILL",
      summary: "stop a node as a power failure would; its storage stays, and so does its vote",
      details: `It is still a member: of 3 nodes 2 must run. RESTART starts it again, REMOVE takes it out. Example: KILL 2`,
    },
    (node) => ({ type: "kill", node }),
  ),
  onAnyNode(
    {
      name: "RESTART",
      summary: "start a node over its storage, and stop it first if it runs",
      details: `It catches up by itself. The number may be left out while there is one node only: then the answer comes
when it leads again. Example: RESTART 2`,
    },
    (node) => ({ type: "restart", node }),
  ),
  {
    name: "PARTITION",
    usage: "node[,node ...] [| node[,node ...] ...]",
    summary: "cut the links between groups, e.g. 1 | 2,3; a node in none is cut off from all",
    details: `Only a group with a majority of the voters can elect a leader and take writes. A node that is added
meanwhile joins the group of the leader. HEAL mends every link. Example: PARTITION 1 | 2,3`,
    minArguments: 1,
    maxArguments: Number.POSITIVE_INFINITY,
    make: (args) => ({ type: "partition", groups: parseGroups(args) }),
  },
  plain("HEAL", "mend every link", { type: "heal" }),
];

const SESSION_COMMANDS: readonly CommandSpec[] = [
  plain("QUIT", "end the session", { type: "quit" }),
  plain("EXIT", "the same as QUIT", { type: "quit" }),
];

const HELP: CommandSpec = {
  name: "HELP",
  usage: "[command]",
  summary: "this list, or more about one command of it",
  minArguments: 0,
  maxArguments: 1,
  make: (args) => ({ type: "help", topic: args.length === 0 ? null : findSpec(first(args)) }),
};

/** What the prompt understands, in the order in which help lists it. */
export const COMMANDS: readonly CommandSpec[] = [
  ...DATA_COMMANDS,
  ...CLUSTER_COMMANDS,
  HELP,
  ...SESSION_COMMANDS,
];

/** An unknown word is shown in an error, and it may be a whole file without spaces. */
const SHOWN_BYTES = 40;

function show(word: Uint8Array): string {
  return `${quote(word.subarray(0, SHOWN_BYTES))}${word.length > SHOWN_BYTES ? "..." : ""}`;
}

function findSpec(word: Uint8Array): CommandSpec {
  const name = latin1(word).toUpperCase();
  const found = COMMANDS.find((spec) => spec.name === name);
  if (found !== undefined) return found;
  throw new BadLineError(`unknown command ${show(word)}: HELP lists the commands`);
}

/** Nothing, or `--watch` and perhaps how often. */
function parseStatus([option, interval]: readonly Uint8Array[]): Command {
  if (option === undefined) return { type: "status" };
  if (latin1(option).toLowerCase() !== "--watch") {
    throw new BadLineError(`STATUS is given ${show(option)}, but only --watch may follow it`);
  }
  if (interval === undefined) return { type: "watch", intervalMs: WATCH_INTERVAL_MS.default };
  const { min, max } = WATCH_INTERVAL_MS;
  const text = latin1(interval);
  const intervalMs = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (intervalMs < min || intervalMs > max) {
    throw new BadLineError(
      `STATUS --watch is given ${show(interval)}, but it looks every so many milliseconds: ${min} to ${max}`,
    );
  }
  return { type: "watch", intervalMs };
}

function parseNode(command: string, word: Uint8Array): NodeId {
  const text = latin1(word);
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new BadLineError(`${command} is given ${show(word)}, but a node is a number from 1 on`);
  }
  return Number(text);
}

/** `1 | 2,3`, with white space wherever one likes. */
function parseGroups(args: readonly Uint8Array[]): readonly (readonly NodeId[])[] {
  const text = args.map(latin1).join(" ");
  return text.split("|").map((group) => {
    if (group.trim() === "") throw new BadLineError("PARTITION is given a group without nodes");
    const members = group.trim().split(/\s*,\s*|\s+/);
    return members.map((member) => parseNode("PARTITION", Buffer.from(member, "latin1")));
  });
}

/**
 * Understands the arguments of a line.
 *
 * @param args at least one: the command's name in any case, then what it is given.
 * @throws {BadLineError} when the command is unknown, has too few or too many arguments, or one that makes no sense.
 */
export function parseCommand(args: readonly Uint8Array[]): Command {
  const spec = findSpec(first(args));
  const given = args.length - 1;
  if (given < spec.minArguments || given > spec.maxArguments) {
    throw new BadLineError(
      `${spec.name} has ${given === 1 ? "1 argument" : `${given} arguments`}, but it is written: ${usageOf(spec)}`,
    );
  }
  return spec.make(args.slice(1));
}

/** How a command is written: its name and its arguments. */
export function usageOf(spec: CommandSpec): string {
  return spec.usage === "" ? spec.name : `${spec.name} ${spec.usage}`;
}
