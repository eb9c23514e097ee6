import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { LocalReads } from "./local-reads.js";

it("reads of this node's state leave others their turns where they take long", async () => {
  const machine = { clockMs: 5, work: 2_000_000 };
  const reads = new LocalReads(machine, () => machine.clockMs);
  let resumed = 0;
  const owner = { deliver: () => {}, resume: () => void (resumed += 1) };
  let read = 0;
  for (; reads.admits(owner); read++) expect(reads.read([Buffer.from("GET")])).toBe(5);
  expect([read, resumed]).toEqual([3, 0]);
  await turn();
  expect([resumed, reads.admits(owner)]).toEqual([1, true]);
  // What takes no time is not held up.
  machine.work = 700;
  for (let left = 500; left > 0; left--) reads.read([Buffer.from("GET")]);
  expect(reads.admits(owner)).toBe(true);
});
