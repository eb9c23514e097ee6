import { NO_KEYS, ONE_SCORE_KEYS } from "./values.ts";

/** Commands of which an argument is a time, and where it stands. */
const TIMED: Readonly<Record<string, number>> = { EXPIRE: 2, PEXPIRE: 2, SETEX: 2, PSETEX: 2 };

/** Commands that draw, and for ever where the number is far enough below 0. */
const DRAWING: ReadonlySet<string> = new Set(["SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"]);

/**
 * What would tell how fast the two are, which elements the one drew, or which of two late deadlines is later, or what a server has beside its data; and
 * what takes for ever.
 */
export function isUnfit(args: readonly string[]): boolean {
  const name = args[0]?.toUpperCase() ?? "";
  // In what form Redis keeps a value depends on what it was before.
  if (name === "OBJECT")
    return /^(?:encoding|refcount|idletime)$/i.test(args[1] ?? "") && !NO_KEYS.includes(args[2] ?? "");
  if (name === "CLIENT")
    return /^kill$/i.test(args[1] ?? "") && args.some((arg) => /^[1-9]\d{0,6}$/.test(arg));
  if (name === "SPOP") return args.length < 3 || /^[1-9]\d{0,5}$/.test(args[2] ?? "");
  if (mixesNames(name, args)) return true;
  if (/^P?EXPIRE(?:AT)?$/.test(name)) return comparesLate(name, args) || endsSoon(name, args);
  if (DRAWING.has(name)) return /^-[1-9]\d{4,17}$/.test(args[2] ?? "");
  return endsSoon(name, args);
}

/** What may be done to a sorted set with one score, beside ranges of names and ZADD with that score. */
const KEEPS_ONE_SCORE: ReadonlySet<string> = new Set(
  "DEL UNLINK SET GET TYPE EXISTS ZCARD ZSCORE ZREM ZPOPMIN ZRANK ZRANGE ZRANGESTORE".split(" "),
);

/** Asks a sorted set for a range of names in which scores may differ, or makes them differ where ranges of names are asked for. */
function mixesNames(name: string, args: readonly string[]): boolean {
  const isOneScore = (at: number): boolean => ONE_SCORE_KEYS.includes(args[at] ?? "");
  const byName = /LEX(?:COUNT)?$/.test(name) || args.some((arg) => /^bylex(?:$|\0)/i.test(arg));
  if (name === "ZRANGESTORE") return (byName || isOneScore(1)) && !isOneScore(2);
  if (byName) return !isOneScore(1);
  if (!args.some((_, at) => at > 0 && isOneScore(at))) return false;
  if (name !== "ZADD") return !KEEPS_ONE_SCORE.has(name);
  const pairs = args.slice(/^(?:nx|xx|ch)$/i.test(args[2] ?? "") ? 3 : 2);
  return pairs.some((score, at) => at % 2 === 0 && score !== "0");
}

/** Later than the deadlines that Seshat keeps exactly, or near. */
const LATE_MS = 2e14;

/** Of two deadlines after the year 10889 neither is later to Seshat: so which is, is not asked. */
function comparesLate(name: string, args: readonly string[]): boolean {
  const time = Number(args[2]) * (name.startsWith("P") ? 1 : 1000);
  return time > LATE_MS && args.slice(3).some((word) => /^[gl]t$/i.test(word));
}

/** Sets a deadline that is over soon: the replies that follow would tell how fast the two are. */
function endsSoon(name: string, args: readonly string[]): boolean {
  const soon = (time: string | undefined): boolean => /^[1-9]\d{0,6}$/.test(time ?? "");
  if (name === "SET" || name === "GETEX") {
    return args.some((arg, at) => at > 0 && /^(?:EX|PX)$/i.test(arg) && soon(args[at + 1]));
  }
  return soon(args[TIMED[name] ?? args.length]);
}
