import { COMMANDS, FURTHER_COMMANDS, WEIGHTS } from "./commands.ts";
import type { MakeArguments } from "./commands.ts";
import { seededRandom, seedOfCase } from "./random.ts";
import type { Random } from "./random.ts";
import { anyCase, key, value } from "./values.ts";

/** One command of one client. */
export interface Step {
  readonly client: number;
  readonly args: readonly string[];
  /** Sent together with the step before, if that is of the same client. */
  readonly pipelined: boolean;
  /** How long to wait before it, in ms. */
  readonly pauseMs?: number;
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

export interface Vocabulary {
  readonly draw: (random: Random) => string[];
}

/** Commands to draw from: those that have to be there, and of the others those that are. */
export function vocabulary(isThere: (name: string) => boolean): Vocabulary {
  const further = Object.entries(FURTHER_COMMANDS).filter(([name]) => isThere(name));
  const all: readonly (readonly [string, MakeArguments])[] = [...Object.entries(COMMANDS), ...further];
  const total = all.reduce((sum, [name]) => sum + (WEIGHTS[name] ?? 1), 0);
  return {
    draw: (random) => {
      let at = random.next() * total;
      for (const [name, make] of all) {
        at -= WEIGHTS[name] ?? 1;
        if (at < 0) return [anyCase(random, name), ...make(random)];
      }
      return ["PING"];
    },
  };
}

export function generateCase(words: Vocabulary, seed: number, index: number): Case {
  const random = seededRandom(seedOfCase(seed, index));
  const clients = 1 + random.below(MOST_CLIENTS);
  const pipelines = random.chance(0.6);
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
      steps.push(...expiringKeys(random, client));
      continue;
    }
    const args = nextCommand(words, random, inTransaction.has(client));
    const name = args[0]?.toUpperCase();
    // A key that was not there when it was watched, and is not there again, has not changed for Seshat, and has for Redis.
    if (name === "WATCH" && !inTransaction.has(client)) {
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

/** Keys whose time comes while everybody waits. */
function expiringKeys(random: Random, client: number): Step[] {
  const name = key(random);
  const deadline = random.pick([
    ["SET", name, value(random), "PX", String(DEADLINE_MS)],
    ["PSETEX", name, String(DEADLINE_MS), value(random)],
    ["PEXPIRE", name, String(DEADLINE_MS)],
    ["GETEX", name, "PX", String(DEADLINE_MS)],
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
  ]);
  return [
    { client, args: deadline, pipelined: false },
    { client, args: after, pipelined: false, pauseMs: PAUSE_MS },
  ];
}

function nextCommand(words: Vocabulary, random: Random, inTransaction: boolean): string[] {
  if (inTransaction && random.chance(0.2)) return ["EXEC"];
  if (random.chance(0.015))
    return [
      random.pick(["NOSUCH", "GETX", "\xff\xfe", "foo'bar", "x".repeat(200), "a\r\nb", ""]),
      ...junk(random, 6),
    ];
  const args = words.draw(random);
  const changed = random.chance(0.06) ? spoiled(random, args) : args;
  return isRacy(changed) ? args : changed;
}

/** Commands of which an argument is a time, and where it stands. */
const TIMED: Readonly<Record<string, number>> = { EXPIRE: 2, PEXPIRE: 2, SETEX: 2, PSETEX: 2 };

/** Sets a deadline that is over soon: the replies that follow would tell how fast the two are. */
export function isRacy(args: readonly string[]): boolean {
  const soon = (time: string | undefined): boolean => /^[1-9]\d{0,6}$/.test(time ?? "");
  const name = args[0]?.toUpperCase() ?? "";
  if (name === "SET" || name === "GETEX") {
    return args.some((arg, at) => at > 0 && /^(?:EX|PX)$/i.test(arg) && soon(args[at + 1]));
  }
  return soon(args[TIMED[name] ?? args.length]);
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
