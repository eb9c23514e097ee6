import { CLOSED, latin1, SILENT } from "./connection.ts";
import type { Outcome } from "./connection.ts";
import { encoded } from "./encoded.ts";

/** Where two servers may answer differently, and why. Errors never may. */
interface Allowance {
  readonly commands: readonly string[];
  readonly why: string;
  readonly same: (redis: Outcome, other: Outcome, args: readonly string[]) => boolean;
}

/** How far apart the two may run a command, in ms. Times that are set here lie years away. */
const CLOCK_MS = 60_000;

/** Seshat keeps deadlines in 48 bits: the year 10889. */
const LAST_DEADLINE_MS = 2 ** 48 - 1;

const ALLOWED_DIFFERENCES: readonly Allowance[] = [
  {
    commands: ["KEYS", "SMEMBERS", "SINTER", "SUNION", "SDIFF", "HKEYS", "HVALS"],
    why: "A set has no order, nor has a hash.",
    same: (redis, other) => equal(sorted(redis), sorted(other)),
  },
  {
    commands: ["HGETALL"],
    why: "A hash has no order.",
    same: (redis, other) => equal(sorted(inPairs(redis)), sorted(inPairs(other))),
  },
  {
    commands: ["SCAN", "SSCAN", "HSCAN", "ZSCAN"],
    why: "A set has no order; and what a cursor means, and how far a step goes, each server decides for itself.",
    same: (redis, other, args) => {
      if (!isArray(redis) || !isArray(other)) return false;
      const cursorAt = args[0]?.toUpperCase() === "SCAN" ? 1 : 2;
      const counts = args.filter((_, at) => at > cursorAt && args[at - 1]?.toUpperCase() === "COUNT");
      const whole = args[cursorAt] === "0" && counts.at(-1) === "1000";
      if (!whole) return redis.length === 2 && other.length === 2;
      const items = (outcome: Outcome | undefined): Outcome =>
        sorted(/^[HZ]/i.test(args[0] ?? "") ? inPairs(outcome ?? null) : (outcome ?? null));
      return equal(redis[0] ?? null, other[0] ?? null) && equal(items(redis[1]), items(other[1]));
    },
  },
  {
    commands: ["SPOP", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"],
    why: "They are random. How many there are, and in what form, both have to say.",
    same: (redis, other) => shape(redis) === shape(other),
  },
  {
    commands: ["TTL", "EXPIRETIME"],
    why: "The two run a command at different times; and a deadline past the year 10889 is one of that year to Seshat.",
    same: (redis, other) => near(redis, other, 1000),
  },
  {
    commands: ["PTTL", "PEXPIRETIME"],
    why: "The two run a command at different times; and a deadline past the year 10889 is one of that year to Seshat.",
    same: (redis, other) => near(redis, other, 1),
  },
  {
    commands: ["RANDOMKEY"],
    why: "It is random. That there is a key, both have to say.",
    same: (redis, other) => redis instanceof Uint8Array && other instanceof Uint8Array,
  },
  {
    commands: ["CLIENT"],
    why: "Each server has its own connections.",
    same: (redis, other, args) => /^(?:ID|LIST)$/i.test(args[1] ?? "") && shape(redis) === shape(other),
  },
  {
    commands: ["HELLO"],
    why: "Who it is, each server says for itself: server, version, id. The fields and the protocol are the same.",
    same: (redis, other) => sameHello(redis, other),
  },
  {
    commands: ["COMMAND"],
    why: "Redis has more commands. Of each, hints for clusters and specifications of keys are not compared: name, arity, flags, keys and categories are.",
    same: (redis, other, args) => {
      const subcommand = args[1]?.toUpperCase();
      if (subcommand === "INFO" && args.length > 2) return equal(sevenFields(redis), sevenFields(other));
      if (subcommand === "COUNT") return typeof redis === "number" && typeof other === "number";
      return (
        (subcommand === undefined || subcommand === "LIST" || subcommand === "INFO") &&
        isArray(redis) &&
        isArray(other)
      );
    },
  },
];

const BY_COMMAND = new Map(
  ALLOWED_DIFFERENCES.flatMap((allowance) => allowance.commands.map((name) => [name, allowance] as const)),
);

/** Whether two outcomes of one command count as the same. */
export function sameOutcome(args: readonly string[], redis: Outcome, other: Outcome): boolean {
  if (equal(redis, other)) return true;
  if (isError(redis) || isError(other)) return false;
  const name = args[0]?.toUpperCase() ?? "";
  // Redis keeps the sign of a zero in a large sorted set, and not in a small one; Seshat in none.
  const [one, two] = name.startsWith("Z") ? [withoutSigns(redis), withoutSigns(other)] : [redis, other];
  return equal(one, two) || (BY_COMMAND.get(name)?.same(one, two, args) ?? false);
}

export function isArray(
  outcome: Outcome,
): outcome is readonly Exclude<Outcome, typeof CLOSED | typeof SILENT>[] {
  return Array.isArray(outcome);
}

function equal(one: Outcome, two: Outcome): boolean {
  // In version 3 there is one null, in version 2 there are two.
  return encoded(one) === encoded(two) && encoded(one, 2) === encoded(two, 2);
}

/** With 0 for -0, whichever way it is written. */
function withoutSigns(outcome: Outcome): Outcome {
  if (isArray(outcome)) return outcome.map(withoutSigns) as Outcome;
  if (outcome instanceof Uint8Array) return Buffer.from(outcome).toString() === "-0" ? latin1("0") : outcome;
  const isDouble =
    typeof outcome === "object" && outcome !== null && "type" in outcome && outcome.type === "double";
  return isDouble && outcome.value === 0 ? { type: "double", value: 0 } : outcome;
}

function isError(outcome: Outcome): boolean {
  if (outcome === CLOSED || outcome === SILENT) return true;
  return typeof outcome === "object" && outcome !== null && "type" in outcome && outcome.type === "error";
}

function near(redis: Outcome, other: Outcome, unitMs: number): boolean {
  // A number beyond 2^53 is a bigint here; and where the one is just beyond, the other need not be.
  const ms = (outcome: Outcome): number =>
    typeof outcome === "bigint" || typeof outcome === "number" ? Number(outcome) * unitMs : 0;
  const [one, two] = [ms(redis), ms(other)];
  if (one <= 0 || two <= 0) return false;
  // What is left until then, or then.
  const last = LAST_DEADLINE_MS - Date.now() - CLOCK_MS;
  return Math.abs(one - two) <= CLOCK_MS || (one > last && two > last);
}

/** What is a pair in version 3, where version 2 says one after the other. */
function inPairs(outcome: Outcome): Outcome {
  if (typeof outcome === "object" && outcome !== null && "type" in outcome && outcome.type === "map") {
    return outcome.entries;
  }
  if (!isArray(outcome)) return outcome;
  return outcome.flatMap((item, at) => (at % 2 === 0 ? [[item, outcome[at + 1] ?? null]] : []));
}

/** How many things of what kinds, whatever they are. */
function shape(outcome: Outcome): string {
  if (isArray(outcome)) return `[${outcome.map(shape).join()}]`;
  if (outcome instanceof Uint8Array) return "string";
  if (typeof outcome === "number") return "number";
  if (typeof outcome !== "object" || outcome === null) return encoded(outcome);
  return outcome.type === "set" ? `set ${shape(outcome.items)}` : outcome.type;
}

function sorted(outcome: Outcome): Outcome {
  const byBytes = (items: readonly Outcome[]): Outcome[] =>
    items.toSorted((one, two) => (encoded(one) < encoded(two) ? -1 : 1));
  if (isArray(outcome)) return byBytes(outcome) as Outcome;
  if (typeof outcome === "object" && outcome !== null && "type" in outcome && outcome.type === "set") {
    return { ...outcome, items: byBytes(outcome.items) } as Outcome;
  }
  return outcome;
}

/** The fields of HELLO, without what a server says of itself. */
function sameHello(redis: Outcome, other: Outcome): boolean {
  const fields = (outcome: Outcome): Outcome[] => {
    if (isArray(outcome)) return [...outcome];
    if (typeof outcome === "object" && outcome !== null && "type" in outcome && outcome.type === "map") {
      return ["map" as Outcome, ...outcome.entries.flat()];
    }
    return [];
  };
  const own = new Set(["server", "version", "id", "mode", "role", "modules"]);
  const [left, right] = [fields(redis), fields(other)];
  let field = "";
  return (
    left.length > 0 &&
    left.length === right.length &&
    left.every((item, at) => {
      const its = right[at];
      if (its !== undefined && equal(item, its)) {
        field = item instanceof Uint8Array ? Buffer.from(item).toString("latin1") : field;
        return true;
      }
      return own.has(field);
    })
  );
}

function sevenFields(outcome: Outcome): Outcome {
  if (!isArray(outcome)) return outcome;
  return outcome.map((row) =>
    isArray(row) ? row.slice(0, 7).map((field) => sorted(field)) : row,
  ) as Outcome;
}
