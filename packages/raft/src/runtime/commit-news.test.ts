import { expect, test } from "vitest";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { CommitNews } from "./commit-news.js";

function setUp({ heartbeatIntervalMs = 50 } = {}): {
  clock: VirtualClock;
  news: CommitNews;
  told: number[];
  readonly set: (hasNews: boolean) => void;
} {
  const clock = new VirtualClock();
  const told: number[] = [];
  let hasNews = false;
  const news: CommitNews = new CommitNews(
    clock.runtime(new SeededRandom(1)),
    heartbeatIntervalMs,
    { hasNews: () => hasNews },
    () => {
      told.push(clock.now);
      hasNews = false;
      news.look();
    },
  );
  return {
    clock,
    news,
    told,
    set: (next) => {
      hasNews = next;
      news.look();
    },
  };
}

test("news is told once, when nothing has carried it for two milliseconds", async () => {
  const { clock, told, set } = setUp();
  set(true);
  await clock.advance(1.5);
  set(true);
  expect(told).toEqual([]);
  await clock.advance(10);
  expect(told).toEqual([2]);
  set(true);
  await clock.advance(10);
  expect(told).toEqual([2, 13.5]);
});

test("what was carried is no news, and what comes later has a time of its own", async () => {
  const { clock, told, set } = setUp();
  set(true);
  await clock.advance(1);
  set(false);
  await clock.advance(0.5);
  set(true);
  await clock.advance(1);
  expect(told).toEqual([]);
  await clock.advance(1);
  expect(told).toEqual([3.5]);
});

test("while clients write one after another nothing is told", async () => {
  const { clock, told, set } = setUp();
  for (let write = 0; write < 100; write++) {
    set(true);
    await clock.advance(0.5);
    set(false);
    await clock.advance(1);
  }
  expect(told).toEqual([]);
});

test("news waits no longer than a heartbeat would", async () => {
  const { clock, told, set } = setUp({ heartbeatIntervalMs: 1 });
  set(true);
  await clock.advance(5);
  expect(told).toEqual([1]);
});

test.each([true, false])("once it is closed nothing is told (news was waiting: %s)", async (waits) => {
  const { clock, news, told, set } = setUp();
  set(waits);
  news.close();
  await clock.advance(10);
  set(true);
  await clock.advance(10);
  expect(told).toEqual([]);
});
