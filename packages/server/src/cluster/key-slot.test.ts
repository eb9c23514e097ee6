import { expect, it } from "vitest";
import { keySlot } from "./key-slot.js";

it("keys have the slots of Redis Cluster, by what stands between braces if something does", () => {
  const slot = (key: string): number => keySlot(Buffer.from(key));
  // From the specification of Redis Cluster.
  expect(slot("123456789")).toBe(0x31c3);
  expect(slot("foo")).toBe(12_182);
  expect(slot("{user1000}.following")).toBe(slot("{user1000}.followers"));
  expect(slot("foo{}{bar}")).not.toBe(slot("bar"));
  expect(slot("foo{{bar}}zap")).toBe(slot("{bar"));
  expect(slot("foo{bar}{zap}")).toBe(slot("bar"));
  expect(slot("")).toBe(0);
});
