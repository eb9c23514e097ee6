import { COMMANDS, GROUPS, WEIGHTS } from "./commands.ts";
import { seededRandom, seedOfCase } from "./random.ts";
import type { Random } from "./random.ts";
import { isUnfit } from "./unfit.ts";
import { anyCase, element, key, value } from "./values.ts";
import { DATA_WORDS } from "./words/data-words.ts";

/** One command of one client. */
export interface Step {
  readonly client: number;
  readonly args: readonly string[];
  /** Sent together with the step before, if that is of the same client. */
  readonly pipelined: boolean;
  /** How long to wait before it, in ms. */
  readonly pauseMs?: number;
  /** Makes no sense without the step before. */
  readonly joined?: boolean;
  /** A command with a cursor, sent again and again until it is through: where the cursor stands. The outcome is all that came. */
  readonly cursorAt?: number;
}

/** A run of commands of a few clients on an empty database. */
export interface Case {
  readonly index: number;
  readonly steps: readonly Step[];
}

const MOST_CLIENTS = 3;
const COMMANDS_A_CASE = 60;
/** A deadline of so many ms is over after a pause of so many: nothing looks at the key in between. */
const DEADLINE_MS = 5;
const PAUSE_MS = 25;

/** Redis counts keys that are past their deadline until it comes upon them: so it is made to, before it counts. */
export const REAP: readonly string[] = ["SCAN", "0", "COUNT", "1000"];

/** How often a case leaves the group that it is about. */
const STRAYING = 0.08;

interface Draw {
  readonly name: string;
  readonly weight: number;
}

/** Commands of all groups alike, and for each group of one type those of it, of keys and of connections, and seldom others. */
const DRAWS: readonly (readonly Draw[])[] = [
  draws(() => 1),
  ...GROUPS.map((group) =>
    draws((name) => (name in group || !GROUPS.some((other) => name in other) ? 1 : STRAYING)),
  ),
];

function draws(factor: (name: string) => number): Draw[] {
  return Object.keys(COMMANDS).map((name) => ({ name, weight: (WEIGHTS[name] ?? 1) * factor(name) }));
}

function drawCommand(random: Random, from: readonly Draw[]): string[] {
  let at = random.next() * from.reduce((sum, { weight }) => sum + weight, 0);
  const { name } = from.find(({ weight }) => (at -= weight) < 0) ?? { name: "PING" };
  return [anyCase(random, name), ...(COMMANDS[name]?.(random) ?? [])];
}

export function generateCase(seed: number, index: number): Case {
  const random = seededRandom(seedOfCase(seed, index));
  const clients = 1 + random.below(MOST_CLIENTS);
  const pipelines = random.chance(0.6);
  const from = random.pick(DRAWS);
  const inTransaction = new Set<number>();
  const steps: Step[] = [];
  for (let client = 0; client < clients; client++) {
    if (random.chance(0.5)) steps.push({ client, args: ["HELLO", "3"], pipelined: false });
  }
  const expiring = random.chance(0.08);
  let client = 0;
  while (steps.length < COMMANDS_A_CASE) {
    if (random.chance(0.2)) client = random.below(clients);
    if (expiring && random.chance(0.05) && !inTransaction.has(client)) {
      steps.push(...expiringKeys(random, client, from));
      continue;
    }
    if (random.chance(0.01)) {
      steps.push(...drawnAndGone(random, client));
      continue;
    }
    if (random.chance(0.01) && !inTransaction.has(client)) {
      steps.push(...iteration(random, client));
      continue;
    }
    const args = nextCommand(random, from, inTransaction.has(client));
    const name = args[0]?.toUpperCase();
    // A key that was not there when it was watched, and is not there again, has not changed for Seshat, and has for Redis.
    // Within a transaction, or where one was asked for in vain, this does no harm.
    if (name === "WATCH") {
      for (const watched of args.slice(1))
        steps.push({ client, args: ["SETNX", watched, "x"], pipelined: true });
    }
    if (name === "DBSIZE") steps.push({ client, args: REAP, pipelined: false });
    if (name === "MULTI") inTransaction.add(client);
    if (name === "EXEC" || name === "DISCARD" || name === "RESET") inTransaction.delete(client);
    steps.push({ client, args, pipelined: pipelines && random.chance(0.7) });
  }
  return { index, steps };
}

/** Each server draws others: the set is gone before anybody sees of which. */
function drawnAndGone(random: Random, client: number): Step[] {
  const name = key(random);
  return [
    {
      client,
      args: ["SPOP", name, ...(random.chance(0.7) ? [String(random.below(4))] : [])],
      pipelined: false,
    },
    { client, args: [random.pick(["DEL", "UNLINK"]), name], pipelined: true, joined: true },
  ];
}

/** A collection that is large, or was, and all of it by a cursor. */
function iteration(random: Random, client: number): Step[] {
  const name = key(random);
  const many = random.pick([3, 20, 130, 600]);
  const elements = Array.from({ length: many }, (_, at) => element(random, at));
  const [add, remove, scan] = random.pick([
    [["HSET", name, ...elements.flatMap((field) => [field, value(random)])], "HDEL", ["HSCAN", name]],
    [["SADD", name, ...elements], "SREM", ["SSCAN", name]],
    [["ZADD", name, ...elements.flatMap((member, at) => [String(at % 7), member])], "ZREM", ["ZSCAN", name]],
    [["MSET", ...elements.slice(0, 130).flatMap((each) => [`it:${each}`, "x"])], "DEL", ["SCAN"]],
  ] as const);
  const gone = elements.filter(() => random.chance(0.3)).slice(0, 130);
  const options = random.chance(0.5) ? ["COUNT", String(1 + random.below(50))] : [];
  const match = random.chance(0.3) ? ["MATCH", random.pick(["*1*", "it:*", "n*", "[0-5]*"])] : [];
  const removed = scan.length === 1 ? gone.map((each) => `it:${each}`) : gone;
  return [
    { client, args: [...add], pipelined: false },
    ...(gone.length > 0 && random.chance(0.5)
      ? [{ client, args: [remove, ...(scan.length === 1 ? [] : [name]), ...removed], pipelined: false }]
      : []),
    { client, args: [...scan, "0", ...options, ...match], pipelined: false, cursorAt: scan.length },
  ];
}

/** Keys whose time comes while everybody waits. */
function expiringKeys(random: Random, client: number, from: readonly Draw[]): Step[] {
  const name = key(random);
  const deadline = random.pick([
    ["SET", name, value(random), "PX", String(DEADLINE_MS)],
    ["PSETEX", name, String(DEADLINE_MS), value(random)],
    ["PEXPIRE", name, String(DEADLINE_MS)],
    ["GETEX", name, "PX", String(DEADLINE_MS)],
    ["PEXPIRE", name, String(DEADLINE_MS), random.pick(["NX", "XX", "GT", "LT"])],
  ]);
  const after = random.pick([
    ["GET", name],
    ["INCR", name],
    ["SET", name, "new", "NX"],
    ["EXISTS", name, name],
    ["PTTL", name],
    ["PERSIST", name],
    ["SET", name, "kept", "KEEPTTL", "GET"],
    ["APPEND", name, "x"],
    ["RENAME", name, key(random)],
    ["KEYS", "*"],
    ["COPY", name, key(random)],
    ["SET", name, "new", "XX", "GET"],
    ["LPUSHX", name, "x"],
    ["SUNIONSTORE", key(random), name],
    // Of the many others, one that may be about this key. What counts keys, or changes what a connection is in, has its own rules.
    onData(fit(drawCommand(random, from))) ?? ["TYPE", name],
  ]);
  return [
    { client, args: deadline, pipelined: false },
    { client, args: after, pipelined: false, pauseMs: PAUSE_MS },
  ];
}

function onData(args: string[] | undefined): string[] | undefined {
  const name = args?.[0]?.toUpperCase() ?? "";
  return name in DATA_WORDS && name !== "DBSIZE" ? args : undefined;
}

const fit = (args: string[]): string[] | undefined => (isUnfit(args) ? undefined : args);

function nextCommand(random: Random, from: readonly Draw[], inTransaction: boolean): string[] {
  if (inTransaction && random.chance(0.2)) return ["EXEC"];
  if (random.chance(0.015))
    return [
      random.pick(["NOSUCH", "GETX", "\xff\xfe", "foo'bar", "x".repeat(200), "a\r\nb", ""]),
      ...junk(random, 6),
    ];
  const args = drawCommand(random, from);
  const changed = random.chance(0.06) ? spoiled(random, args) : args;
  return fit(changed) ?? fit(args) ?? ["PING"];
}

/** With an argument too few, too many, or not meant. */
function spoiled(random: Random, args: readonly string[]): string[] {
  const at = 1 + random.below(Math.max(1, args.length - 1));
  switch (random.below(4)) {
    case 0:
      return args.toSpliced(at, 1);
    case 1:
      return args.toSpliced(at, 0, value(random));
    case 2:
      return args.length > 1 ? args.toSpliced(at, 1, value(random)) : [...args, value(random)];
    default:
      return [...args, ...junk(random, 3)];
  }
}

const junk = (random: Random, most: number): string[] =>
  Array.from({ length: random.below(most + 1) }, () => value(random));
