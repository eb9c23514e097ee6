import type { Reply } from "../reply.js";
import type { Db } from "../store/db.js";
import { INT64_MAX, INT64_MIN } from "./parse.js";

/** What Redis says of a command, as `COMMAND` shows it. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "fast"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "asking"
  | "no_auth"
  | "no_async_loading"
  | "no_multi"
  | "movablekeys"
  | "allow_busy";

/** The groups of Redis's documentation. */
export type CommandGroup =
  | "generic"
  | "string"
  | "bitmap"
  | "hash"
  | "list"
  | "set"
  | "sorted-set"
  | "server"
  | "connection"
  | "transactions"
  | "pubsub"
  | "cluster";

/** A row of the table of commands: what is known of a command without carrying it out. */
export interface CommandSpec {
  /** In lower case; of a subcommand `object|encoding`. */
  readonly name: string;
  /** How many arguments it takes, its name included; below 0, at least so many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** Where its first key stands among the arguments; 0 when it has none, or they do not stand at fixed places. */
  readonly firstKey: number;
  /** Where its last key stands; below 0, counted from the end. */
  readonly lastKey: number;
  /** From one key to the next. */
  readonly step: number;
  /** Access categories, `@read` and the like. */
  readonly acl: readonly string[];
  readonly group: CommandGroup;
  /** One line for `COMMAND DOCS`. */
  readonly summary: string;
  /** The version of Redis that had it first. */
  readonly since: string;
  readonly subcommands?: readonly CommandSpec[];
  /** The keys among the arguments, where they do not stand at fixed places; none where the arguments do not say. */
  readonly keys?: (args: readonly Uint8Array[]) => readonly Uint8Array[];
}

/** Carries a command out. @throws {Refusal} to answer an error, before anything was changed. */
export type RunCommand = (db: Db, args: readonly Uint8Array[]) => Reply;

/** A command on data: a row, and what it does. */
export interface KvCommand extends CommandSpec {
  /** It has the flag `write`. */
  readonly writes: boolean;
  /** It has the flag `denyoom`: it may add to the data. */
  readonly addsData: boolean;
  readonly run: RunCommand;
}

/** Redis's order of the categories. */
const CATEGORIES: readonly string[] =
  "keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow blocking dangerous"
    .split(" ")
    .map((name) => `@${name}`);

const CATEGORY_OF_GROUP: Partial<Record<CommandGroup, string>> = {
  generic: "@keyspace",
  server: "@keyspace",
  string: "@string",
  bitmap: "@bitmap",
  hash: "@hash",
  list: "@list",
  set: "@set",
  "sorted-set": "@sortedset",
};

/** What differs from row to row; the rest follows. */
export interface CommandRow {
  readonly name: string;
  readonly arity: number;
  /** Separated by blanks. */
  readonly flags: string;
  /** First, last, step. Default: no keys. */
  readonly keys?: readonly [number, number, number];
  readonly movableKeys?: (args: readonly Uint8Array[]) => readonly Uint8Array[];
  readonly dangerous?: boolean;
  readonly since: string;
  readonly summary: string;
  readonly run: RunCommand;
  readonly subcommands?: readonly CommandSpec[];
}

/** Makes the commands of a group. */
export function commandGroup(group: CommandGroup, rows: readonly CommandRow[]): KvCommand[] {
  return rows.map((row) => {
    const flags = row.flags.split(" ").filter((flag) => flag !== "") as CommandFlag[];
    const [firstKey, lastKey, step] = row.keys ?? [0, 0, 0];
    return {
      name: row.name,
      arity: row.arity,
      flags,
      firstKey,
      lastKey,
      step,
      acl: categories(group, flags, row.dangerous === true, row.subcommands !== undefined),
      group,
      summary: row.summary,
      since: row.since,
      writes: flags.includes("write"),
      addsData: flags.includes("denyoom"),
      run: row.run,
      ...(row.subcommands === undefined ? {} : { subcommands: row.subcommands }),
      ...(row.movableKeys === undefined ? {} : { keys: row.movableKeys }),
    };
  });
}

/** The access categories that follow from group and flags. */
export function categories(
  group: CommandGroup,
  flags: readonly CommandFlag[],
  dangerous = false,
  container = false,
): string[] {
  const found = new Set<string>();
  const ofGroup = CATEGORY_OF_GROUP[group];
  if (ofGroup !== undefined && !container) found.add(ofGroup);
  if (flags.includes("write")) found.add("@write");
  if (flags.includes("readonly")) found.add("@read");
  found.add(flags.includes("fast") ? "@fast" : "@slow");
  if (flags.includes("blocking")) found.add("@blocking");
  if (dangerous) found.add("@dangerous");
  return CATEGORIES.filter((category) => found.has(category));
}

/** The keys among the arguments of a command. */
export function keysOf(spec: CommandSpec, args: readonly Uint8Array[]): readonly Uint8Array[] {
  if (spec.keys !== undefined) return spec.keys(args);
  if (spec.firstKey === 0) return [];
  const last = spec.lastKey < 0 ? args.length + spec.lastKey : spec.lastKey;
  const keys: Uint8Array[] = [];
  for (let at = spec.firstKey; at <= last && at < args.length; at += spec.step)
    keys.push(args[at] as Uint8Array);
  return keys;
}

/** `numkeys key [key ...]` at `at`: none where their number is none, or so many are not there. Redis reads it by C's `atoi`. */
export function numberedKeys(args: readonly Uint8Array[], at: number): readonly Uint8Array[] {
  const [digits] = /^[ \t-\r]*[+-]?\d+/.exec(String.fromCharCode(...(args[at] ?? []).slice(0, 32))) ?? ["0"];
  const long = BigInt(digits.replace("+", ""));
  const count = Number(BigInt.asIntN(32, long > INT64_MAX ? INT64_MAX : long < INT64_MIN ? INT64_MIN : long));
  return count > 0 && at + count < args.length ? args.slice(at + 1, at + 1 + count) : [];
}

/** `destination numkeys key [key ...]` from `at` on; none where `numberedKeys` are none. */
export function storedKeys(args: readonly Uint8Array[], at: number): readonly Uint8Array[] {
  const keys = numberedKeys(args, at + 1);
  return keys.length === 0 ? [] : [args[at] as Uint8Array, ...keys];
}
