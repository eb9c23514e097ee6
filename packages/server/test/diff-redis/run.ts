import { compareOn } from "./compare.ts";
import type { Difference } from "./compare.ts";
import { encoded, quoted, shown } from "./encoded.ts";
import { generateCase, REAP } from "./generate.ts";
import type { Step } from "./generate.ts";
import { minimize } from "./minimize.ts";
import { play } from "./target.ts";
import type { Target } from "./target.ts";
import { ALL_KEYS, ONE_SCORE_KEYS } from "./values.ts";

export interface DiffOptions {
  readonly redis: Target;
  readonly other: Target;
  readonly seed: number;
  readonly commands: number;
  /** The first case; so that a case can be repeated alone. */
  readonly from?: number;
  readonly mostDifferences: number;
  readonly progress?: (commands: number, differences: number) => void;
}

export interface Found {
  readonly index: number;
  readonly steps: readonly Step[];
  readonly difference: Difference;
}

export interface DiffResult {
  readonly commands: number;
  readonly cases: number;
  readonly found: readonly Found[];
}

/** Plays cases until the commands are spent or too much was found. Of differences that look alike, one is kept. */
export async function runDiff(options: DiffOptions): Promise<DiffResult> {
  const { redis, other, seed } = options;
  const found = new Map<string, Found>();
  let commands = 0;
  let cases = 0;
  for (
    let index = options.from ?? 0;
    commands < options.commands && found.size < options.mostDifferences;
    index++
  ) {
    const { steps } = generateCase(seed, index);
    const whole = [...steps, ...epilogue(steps)];
    const difference = await compareOn(redis, other, whole);
    commands += steps.length;
    cases += 1;
    if (difference !== null) {
      const least = await smallest(redis, other, whole, difference);
      const kind = kindOf(least);
      if (!found.has(kind)) found.set(kind, { index, ...least });
    }
    options.progress?.(commands, found.size);
  }
  return { commands, cases, found: [...found.values()] };
}

/** What shows that the two agree in the end: what the database holds, and that each client's replies still fit its commands. */
function epilogue(steps: readonly Step[]): Step[] {
  const clients = [...new Set(steps.map(({ client }) => client))];
  const step = (client: number, ...args: string[]): Step => ({ client, args, pipelined: true });
  const keys = [...ALL_KEYS, ...ONE_SCORE_KEYS];
  const observer = Math.max(...clients) + 1;
  return [
    ...clients.flatMap((client) => [step(client, "DISCARD"), step(client, "ECHO", `end of ${client}`)]),
    step(observer, "KEYS", "*"),
    step(observer, "MGET", ...keys),
    step(observer, ...REAP),
    step(observer, "DBSIZE"),
    ...keys.flatMap((key) => DUMPS.map((dump) => step(observer, ...dump(key)))),
  ];
}

/** What shows all that a key holds, whatever it is. */
const DUMPS: readonly ((key: string) => string[])[] = [
  (key) => ["TYPE", key],
  (key) => ["PTTL", key],
  (key) => ["HGETALL", key],
  (key) => ["LRANGE", key, "0", "-1"],
  (key) => ["SMEMBERS", key],
  (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
];

/** The smallest case that differs, or the whole one where a repetition does not. */
async function smallest(
  redis: Target,
  other: Target,
  steps: readonly Step[],
  first: Difference,
): Promise<Omit<Found, "index">> {
  let difference = first;
  const least = await minimize(steps, async (candidate) => {
    const differs = await compareOn(redis, other, candidate);
    // Only what differs in the same way: or the smallest case would be of something else.
    if (differs === null || likeness(candidate, differs) !== likeness(steps, first)) return false;
    difference = differs;
    return true;
  });
  return { steps: least, difference };
}

/** The command that differs, and the kinds of reply. */
function likeness(steps: readonly Step[], { at, redis, other }: Difference): string {
  const kind = (text: string): string => (text.startsWith("-") ? text.slice(0, 24) : (text[0] ?? ""));
  return `${steps[at]?.args[0]?.toUpperCase()} ${kind(encoded(redis))} ${kind(encoded(other))}`;
}

const kindOf = ({ steps, difference }: Omit<Found, "index">): string => likeness(steps, difference);

/** The case for people: each command, what Redis answered, and what the other did where it differs. */
export async function describe(found: Found, redis: Target, other: Target): Promise<string> {
  const [left, right] = await Promise.all([play(redis, found.steps), play(other, found.steps)]);
  const lines = found.steps.map(({ client, args, pipelined }, at) => {
    const [its = null, others = null] = [left[at], right[at]];
    const line = `  client ${client}${pipelined ? " +" : "  "} ${quoted(args)}\n      ${redis.name}: ${shown(its)}`;
    return encoded(its) === encoded(others) ? line : `${line}\n      ${other.name}: ${shown(others)}`;
  });
  return `case ${found.index}, step ${found.difference.at + 1} of ${found.steps.length}\n${lines.join("\n")}`;
}
