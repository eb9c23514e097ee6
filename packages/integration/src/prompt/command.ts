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

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly CommandSpec[] = [
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
  plain("STATUS", "role, term, log, snapshot and keys of the node", { type: "status" }),
  plain("SNAPSHOT", "take a snapshot now; the log behind it is purged", { type: "snapshot" }),
  plain("RESTART", "stop the node and start a new one over the same storage", { type: "restart" }),
  {
    name: "HELP",
    usage: "[command]",
    summary: "this list, or one command of it",
    minArguments: 0,
    maxArguments: 1,
    make: (args) => ({ type: "help", topic: args.length === 0 ? null : findSpec(first(args)) }),
  },
  plain("QUIT", "end the session", { type: "quit" }),
  plain("EXIT", "the same as QUIT", { type: "quit" }),
];

const BY_NAME: ReadonlyMap<string, CommandSpec> = new Map(COMMANDS.map((spec) => [spec.name, spec]));

/** An unknown word is shown in an error, and it may be a whole file without spaces. */
const SHOWN_BYTES = 40;

function findSpec(word: Uint8Array): CommandSpec {
  const spec = BY_NAME.get(latin1(word).toUpperCase());
  if (spec !== undefined) return spec;
  const shown = quote(word.subarray(0, SHOWN_BYTES));
  throw new BadLineError(
    `unknown command ${shown}${word.length > SHOWN_BYTES ? "..." : ""}: HELP lists the commands`,
  );
}

/**
 * Understands the arguments of a line.
 *
 * @param args at least one: the command's name in any case, then what it is given.
 * @throws {BadLineError} when the command is unknown or has too few or too many arguments.
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
