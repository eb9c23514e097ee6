import { toByteString } from "@seshat/storage/parts";
import { NOT_A_FLOAT, Refusal } from "../refusal.js";
import type { Scored, ZsetValue } from "../types/zset-value.js";

const NO_SCORES = new Refusal("ERR min or max is not a float");
const NO_NAMES = new Refusal("ERR min or max not valid string range item");
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEXADECIMAL = /^[+-]?0[xX](?:([\da-fA-F]+)\.?([\da-fA-F]*)|\.([\da-fA-F]+))(?:[pP]([+-]?\d{1,9}))?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;
const OPEN = 0x28;
const CLOSED = 0x5b;

/** A part of a sorted set: what is before it, and what is not behind it. */
export interface ScoredRange {
  readonly isBefore: (item: Scored) => boolean;
  readonly isNotBehind: (item: Scored) => boolean;
}

/** A number as `strtod` reads it, or null. */
function parseDouble(bytes: Uint8Array): number | null {
  const text = String.fromCharCode(...bytes.subarray(0, 400));
  if (bytes.length > 400) return null;
  if (INFINITE.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal !== null) {
    const [, whole = "", fraction = "", onlyFraction = "", power = "0"] = hexadecimal;
    const behind = fraction + onlyFraction;
    const digits = Number(BigInt(`0x${whole}${behind}`));
    const value = digits * 2 ** (Number(power) - 4 * behind.length);
    if (!Number.isFinite(value) || (value === 0 && digits !== 0)) return null;
    return text.startsWith("-") ? -value : value;
  }
  if (!DECIMAL.test(text)) return null;
  const value = Number(text);
  // What is too large or too small to be told is refused.
  const lost = value === 0 && /[1-9]/.test(text.replace(/[eE].*/, ""));
  return Number.isFinite(value) && !lost ? value : null;
}

/** @throws {Refusal} when it is no number. */
export function scoreArgument(bytes: Uint8Array | undefined, problem: Refusal = NOT_A_FLOAT): number {
  const value = bytes === undefined ? null : parseDouble(bytes);
  if (value === null) throw problem;
  return value;
}

/** Scores from `min` to `max`; a parenthesis before one leaves it out. */
export function scoreRange(min: Uint8Array | undefined, max: Uint8Array | undefined): ScoredRange {
  const low = bound(min);
  const high = bound(max);
  return {
    isBefore: ({ score }) => score < low.score || (low.open && score === low.score),
    isNotBehind: ({ score }) => score < high.score || (!high.open && score === high.score),
  };
}

function bound(bytes: Uint8Array | undefined): { score: number; open: boolean } {
  const open = bytes?.[0] === OPEN;
  const number = open ? bytes.subarray(1) : bytes;
  const start = number?.findIndex((byte) => byte !== 0x20 && (byte < 9 || byte > 13)) ?? 0;
  // strtod skips blanks, and takes nothing for 0: here, other than everywhere else, Redis lets it.
  if (number?.length === 0) return { score: 0, open };
  return { score: scoreArgument(start > 0 ? number?.subarray(start) : number, NO_SCORES), open };
}

/** Members from `min` to `max`, each `-`, `+`, or a name behind `(` or `[`. */
export function nameRange(min: Uint8Array | undefined, max: Uint8Array | undefined): ScoredRange {
  const low = nameBound(min);
  const high = nameBound(max);
  return { isBefore: (item) => !low.isBelow(item), isNotBehind: (item) => high.isAbove(item) };
}

/** Whether the bound is below what a member is, and above it. */
interface NameBound {
  readonly isBelow: (item: Scored) => boolean;
  readonly isAbove: (item: Scored) => boolean;
}

function nameBound(bytes: Uint8Array | undefined): NameBound {
  const text = bytes === undefined ? "" : toByteString(bytes);
  if (text === "-") return { isBelow: () => true, isAbove: () => false };
  if (text === "+") return { isBelow: () => false, isAbove: () => true };
  const name = text.slice(1);
  switch (bytes?.[0]) {
    case OPEN:
      return { isBelow: ({ member }) => name < member, isAbove: ({ member }) => member < name };
    case CLOSED:
      return { isBelow: ({ member }) => name <= member, isAbove: ({ member }) => member <= name };
    default:
      throw NO_NAMES;
  }
}

/** Where a range begins in a sorted set, and how many it has. */
export function placeOf(
  zset: ZsetValue,
  { isBefore, isNotBehind }: ScoredRange,
): [from: number, count: number] {
  const from = zset.countWhile(isBefore);
  return [from, Math.max(0, zset.countWhile(isNotBehind) - from)];
}
