import { getRandomValues } from "node:crypto";

/** Drawn at once: one call costs as much as a hundred numbers. */
const pool = new Uint32Array(1024);
let next = pool.length;

/** A seed that nobody can foresee, from 0 to 2^53 - 1: it is drawn for each entry of the log. */
export function randomSeed(): number {
  if (next + 2 > pool.length) {
    getRandomValues(pool);
    next = 0;
  }
  const high = (pool[next++] as number) & 0x1f_ffff;
  return high * 0x1_0000_0000 + (pool[next++] as number);
}
