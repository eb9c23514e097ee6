import { CLOSED, SILENT } from "./connection.ts";
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
    commands: ["KEYS", "SMEMBERS", "HGETALL"],
    why: "A set has no order.",
    same: (redis, other) => equal(sorted(redis), sorted(other)),
  },
  {
    commands: ["SCAN"],
    why: "A set has no order; and what a cursor means, and how far a step goes, each server decides for itself.",
    same: (redis, other, args) => {
      if (!isArray(redis) || !isArray(other)) return false;
      const whole =
        args[1] === "0" && args.some((arg, at) => arg.toUpperCase() === "COUNT" && args[at + 1] === "1000");
      if (!whole) return redis.length === 2 && other.length === 2;
      return (
        equal(redis[0] ?? null, other[0] ?? null) && equal(sorted(redis[1] ?? null), sorted(other[1] ?? null))
      );
    },
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
    why: "Each server counts its own connections.",
    same: (redis, other, args) =>
      args[1]?.toUpperCase() === "ID" && typeof redis === "number" && typeof other === "number",
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
  return BY_COMMAND.get(args[0]?.toUpperCase() ?? "")?.same(redis, other, args) ?? false;
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
