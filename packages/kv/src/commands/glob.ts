import type { Work } from "../work.js";

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BACKSLASH = 0x5c;
const CARET = 0x5e;
const DASH = 0x2d;

/** How many units of work it takes to look at a byte of a pattern. */
const STEP_WORK = 3;
/** Steps are charged when there are so many. */
const SOME_STEPS = 1024;

/**
 * Whether all of `bytes` fits a pattern, by Redis's rules: `*`, `?`, `[a-c]`, `[^a]`, and `\` before what stands for itself.
 *
 * A star that did not fit is widened by one, and the stars before it never again: the time is the product of the lengths at most. That can be
 * long, so it is charged.
 *
 * @throws {Refusal} when it takes too much work.
 */
export function matchesGlob(pattern: Uint8Array, bytes: Uint8Array, work: Work): boolean {
  if (isStar(pattern)) return true;
  // Redis does not look at a pattern when there is nothing to compare it with.
  if (bytes.length === 0) return pattern.length === 0;
  let at = 0;
  let from = 0;
  let star = -1;
  let starFrom = 0;
  let steps = 0;
  for (;;) {
    if (steps >= SOME_STEPS) {
      work.charge(steps * STEP_WORK);
      steps = 0;
    }
    if (at < pattern.length && pattern[at] === STAR) {
      star = at;
      starFrom = from;
      at += 1;
      continue;
    }
    if (from === bytes.length) {
      work.charge(steps * STEP_WORK);
      // Of a pattern that ends in stars nothing is missing.
      return at >= pattern.length;
    }
    const step = at < pattern.length ? matchOne(pattern, at, bytes[from] as number) : -1;
    steps += Math.abs(step);
    if (step > 0) {
      at += step;
      from += 1;
    } else if (star >= 0) {
      starFrom += 1;
      from = starFrom;
      at = star + 1;
    } else {
      work.charge(steps * STEP_WORK);
      return false;
    }
  }
}

function isStar(pattern: Uint8Array): boolean {
  return pattern.length === 1 && pattern[0] === STAR;
}

/** How much of the pattern at `at` fits this byte; below 0, how much of it does not. */
function matchOne(pattern: Uint8Array, at: number, byte: number): number {
  switch (pattern[at]) {
    case QUESTION:
      return 1;
    case OPEN:
      return matchClass(pattern, at, byte);
    case BACKSLASH:
      if (at + 1 < pattern.length) return pattern[at + 1] === byte ? 2 : -2;
      return byte === BACKSLASH ? 1 : -1;
    default:
      return pattern[at] === byte ? 1 : -1;
  }
}

function matchClass(pattern: Uint8Array, start: number, byte: number): number {
  let at = start + 1;
  const not = pattern[at] === CARET;
  if (not) at += 1;
  let found = false;
  for (;;) {
    if (at >= pattern.length) {
      // A class that is not closed ends with the pattern.
      return found === not ? start - at : at - start;
    }
    if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
      at += 1;
      if (pattern[at] === byte) found = true;
    } else if (pattern[at] === CLOSE) {
      return found === not ? start - at - 1 : at + 1 - start;
    } else if (at + 2 < pattern.length && pattern[at + 1] === DASH) {
      const a = pattern[at] as number;
      const b = pattern[at + 2] as number;
      if (byte >= Math.min(a, b) && byte <= Math.max(a, b)) found = true;
      at += 2;
    } else if (pattern[at] === byte) {
      found = true;
    }
    at += 1;
  }
}
