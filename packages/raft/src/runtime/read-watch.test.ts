import { expect, test } from "vitest";
import { SeededRandom, VirtualClock } from "../testing.js";
import { ReadWatch } from "./read-watch.js";

const LIMIT_MS = 1000;

function setUp() {
  const clock = new VirtualClock();
  const reads = { wait: true, appliedIndex: 1, leads: false, refused: 0, refuse: () => void reads.refused++ };
  const watch = new ReadWatch(clock.runtime(new SeededRandom(1)), LIMIT_MS, reads);
  return { clock, reads, watch };
}

test("reads are refused when nothing was applied while they waited", async () => {
  const { clock, reads, watch } = setUp();
  watch.begin();
  watch.begin();
  await clock.advance(LIMIT_MS - 1);
  expect(reads.refused).toBe(0);
  await clock.advance(1);
  expect(reads.refused).toBe(1);
  await clock.advance(10 * LIMIT_MS);
  expect(reads.refused).toBe(1);
  watch.begin();
  await clock.advance(LIMIT_MS);
  expect(reads.refused).toBe(2);
});

test("reads wait as long as the node applies, and are refused when it does so no more", async () => {
  const { clock, reads, watch } = setUp();
  watch.begin();
  for (let i = 0; i < 20; i++) {
    await clock.advance(LIMIT_MS / 2);
    reads.appliedIndex += 1;
  }
  expect(reads.refused).toBe(0);
  await clock.advance(2 * LIMIT_MS);
  expect(reads.refused).toBe(1);
});

test("the reads of a leader wait: it steps down when its storage hangs", async () => {
  const { clock, reads, watch } = setUp();
  reads.leads = true;
  watch.begin();
  await clock.advance(10 * LIMIT_MS);
  expect(reads.refused).toBe(0);
  reads.leads = false;
  await clock.advance(LIMIT_MS);
  expect(reads.refused).toBe(1);
});

test("nothing is refused when nothing waits any more, or once it is closed", async () => {
  const { clock, reads, watch } = setUp();
  watch.begin();
  reads.wait = false;
  await clock.advance(LIMIT_MS);
  reads.wait = true;
  watch.begin();
  watch.close();
  await clock.advance(LIMIT_MS);
  expect(reads.refused).toBe(0);
});
