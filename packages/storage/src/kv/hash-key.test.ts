import { expect, test } from "vitest";
import { hashKey } from "./hash-key.js";

test.each([
  ["numbers", (at: number): string => String(at)],
  ["names that end in the same way", (at: number): string => `${at}:some-long-ending-that-never-changes`],
  ["names that begin in the same way", (at: number): string => `user:profile:${String(at).padStart(9, "0")}`],
  ["big-endian integers", (at: number): string => `\0\0${String.fromCharCode(at >>> 8, at & 0xff)}`],
])("spreads keys evenly over 256 shards: %s", (_, keyAt) => {
  const shards = new Array<number>(256).fill(0);
  for (let at = 0; at < 25_600; at++) {
    const shard = hashKey(keyAt(at)) & 0xff;
    shards[shard] = (shards[shard] as number) + 1;
  }
  // 100 each on average; a fair draw stays well within these bounds.
  expect(Math.min(...shards)).toBeGreaterThan(40);
  expect(Math.max(...shards)).toBeLessThan(200);
});
