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

/**
 * A number as `strtod` reads it, or null.
 *
 * @param told whether what is too large or too small for a double is none; otherwise it is infinite, or 0.
 */
function parseDouble(text: string, told: boolean): number | null {
  if (text.length > 400) return null;
  if (INFINITE.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal === null && !DECIMAL.test(text)) return null;
  const [value, isZero] = hexadecimal === null ? decimal(text) : binary(hexadecimal);
  if (told && (!Number.isFinite(value) || (value === 0 && !isZero))) return null;
  return hexadecimal !== null && text.startsWith("-") ? -value : value;
}

/** What it comes to, and whether it is 0 as it is written. */
function decimal(text: string): [value: number, isZero: boolean] {
  return [Number(text), !/[1-9]/.test(text.replace(/[eE].*/, ""))];
}

function binary(match: RegExpExecArray): [value: number, isZero: boolean] {
  const [, whole = "", fraction = "", onlyFraction = "", power = "0"] = match;
  const behind = fraction + onlyFraction;
  const digits = Number(BigInt(`0x${whole}${behind}`));
  return digits === 0 ? [0, true] : [digits * 2 ** (Number(power) - 4 * behind.length), false];
}

/** @throws {Refusal} when it is no number. */
export function scoreArgument(bytes: Uint8Array | undefined, problem: Refusal = NOT_A_FLOAT): number {
  const value = bytes === undefined ? null : parseDouble(toByteString(bytes), true);
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

/** Read by `strtod` alone, up to a NUL: here, other than everywhere else, blanks before it, nothing at all, and what is too large pass. */
function bound(bytes: Uint8Array | undefined): { score: number; open: boolean } {
  const given = toByteString(bytes ?? new Uint8Array(0));
  const open = given.startsWith("(");
  const [text = ""] = given.slice(open ? 1 : 0).split("\0");
  const score = text === "" ? 0 : parseDouble(text.replace(/^[ \t-\r]+/, ""), false);
  if (score === null) throw NO_SCORES;
  return { score, open };
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
