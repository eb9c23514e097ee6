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
  | { readonly type: "snapshot" }
  | { readonly type: "restart" }
  | { readonly type: "snapshotNodes"; readonly node: NodeId | null }
  | { readonly type: "restartNode"; readonly node: NodeId }
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

function nodeCommand(name: string, summary: string, make: (node: NodeId) => Command): CommandSpec {
  const spec = { name, usage: "node", summary, minArguments: 1, maxArguments: 1 };
  return { ...spec, make: (args) => make(parseNode(name, first(args))) };
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

const NODE_COMMANDS: readonly CommandSpec[] = [
  plain("STATUS", "role, term, log, snapshot and keys of the node", { type: "status" }),
  plain("SNAPSHOT", "take a snapshot now; the log behind it is purged", { type: "snapshot" }),
  plain("RESTART", "stop the node and start a new one over the same storage", { type: "restart" }),
];

const NODES_COMMANDS: readonly CommandSpec[] = [
  plain("STATUS", "role, term, log and lag of every node, and which links are cut", { type: "status" }),
  nodeCommand("KILL", "stop a node as a power failure would; its storage stays", (node) => ({
    type: "kill",
    node,
  })),
  nodeCommand("RESTART", "start a node over its storage, and stop it first if it runs", (node) => ({
    type: "restartNode",
    node,
  })),
  {
    name: "PARTITION",
    usage: "node[,node ...] [| node[,node ...] ...]",
    summary: "cut the links between groups, e.g. 1 | 2,3; a node in none is cut off from all",
    minArguments: 1,
    maxArguments: Number.POSITIVE_INFINITY,
    make: (args) => ({ type: "partition", groups: parseGroups(args) }),
  },
  plain("HEAL", "mend every link", { type: "heal" }),
  {
    name: "SNAPSHOT",
    usage: "[node]",
    summary: "take a snapshot on one node, or on all that run; the log behind it is purged",
    minArguments: 0,
    maxArguments: 1,
    make: (args) => ({
      type: "snapshotNodes",
      node: args.length === 0 ? null : parseNode("SNAPSHOT", first(args)),
    }),
  },
];

const SESSION_COMMANDS: readonly CommandSpec[] = [
  plain("QUIT", "end the session", { type: "quit" }),
  plain("EXIT", "the same as QUIT", { type: "quit" }),
];

/** The commands that one kind of target understands. */
export interface CommandSet {
  /** In the order in which help lists them. */
  readonly specs: readonly CommandSpec[];
  /** Commands that are understood by other targets only, and what these need. */
  readonly elsewhere: ReadonlyMap<string, string>;
}

function commandSet(
  own: readonly CommandSpec[],
  elsewhere: readonly (readonly [CommandSpec, string])[] = [],
): CommandSet {
  const help: CommandSpec = {
    name: "HELP",
    usage: "[command]",
    summary: "this list, or one command of it",
    minArguments: 0,
    maxArguments: 1,
    make: (args) => ({ type: "help", topic: args.length === 0 ? null : findSpec(first(args), set) }),
  };
  const set: CommandSet = {
    specs: [...DATA_COMMANDS, ...own, help, ...SESSION_COMMANDS],
    elsewhere: new Map(elsewhere.map(([spec, need]) => [spec.name, need])),
  };
  return set;
}

/** What the prompt understands on a cluster of one. */
export const SINGLE_NODE_COMMANDS: CommandSet = commandSet(
  NODE_COMMANDS,
  NODES_COMMANDS.map((spec) => [spec, "needs several nodes: start with --nodes 3"] as const),
);

/** What the prompt understands on a cluster of several nodes. */
export const CLUSTER_COMMANDS: CommandSet = commandSet(NODES_COMMANDS);

/** An unknown word is shown in an error, and it may be a whole file without spaces. */
const SHOWN_BYTES = 40;

function show(word: Uint8Array): string {
  return `${quote(word.subarray(0, SHOWN_BYTES))}${word.length > SHOWN_BYTES ? "..." : ""}`;
}

function findSpec(word: Uint8Array, commands: CommandSet): CommandSpec {
  const name = latin1(word).toUpperCase();
  const found = commands.specs.find((spec) => spec.name === name);
  if (found !== undefined) return found;
  const need = commands.elsewhere.get(name);
  throw new BadLineError(
    need === undefined ? `unknown command ${show(word)}: HELP lists the commands` : `${name} ${need}`,
  );
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
 * @param commands those that there are.
 * @throws {BadLineError} when the command is unknown or has too few or too many arguments.
 */
export function parseCommand(args: readonly Uint8Array[], commands: CommandSet): Command {
  const spec = findSpec(first(args), commands);
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
