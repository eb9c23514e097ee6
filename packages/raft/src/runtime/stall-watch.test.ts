import type { StorageVerb } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { StallWatch } from "./stall-watch.js";

function setUp() {
  const clock = new VirtualClock();
  const runtime = clock.runtime(new SeededRandom(1));
  const told: [number, StorageVerb | null][] = [];
  /** Timers that are neither over nor cancelled. */
  const timers = new Set<object>();
  const watch = new StallWatch(
    {
      ...runtime,
      setTimer: (delayMs, callback) => {
        const timer = runtime.setTimer(delayMs, () => {
          timers.delete(timer);
          callback();
        });
        timers.add(timer);
        return {
          cancel: () => {
            timers.delete(timer);
            timer.cancel();
          },
        };
      },
    },
    100,
    (verb) => void told.push([clock.now, verb]),
  );
  return { clock, watch, told, timers };
}

describe("a watch for storage that hangs", () => {
  test("tells what hangs once it has for so long, and once, and that nothing does any more", async () => {
    const { clock, watch, told } = setUp();
    const call = watch.begin("append");
    await clock.advance(99);
    expect(told).toEqual([]);
    await clock.advance(1000);
    expect(told).toEqual([[100, "append"]]);
    watch.end(call);
    expect(told).toEqual([
      [100, "append"],
      [1099, null],
    ]);
  });

  test("counts each call from its own beginning", async () => {
    const { clock, watch, told } = setUp();
    const first = watch.begin("append");
    await clock.advance(60);
    watch.begin("save vote");
    await clock.advance(30);
    watch.end(first);
    await clock.advance(69);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual([[160, "save vote"]]);
  });

  test("does not say that all is well while another call hangs", async () => {
    const { clock, watch, told } = setUp();
    const calls = [watch.begin("append"), watch.begin("apply")];
    await clock.advance(100);
    watch.end(calls[0] as (typeof calls)[0]);
    expect(told).toEqual([[100, "append"]]);
    watch.end(calls[1] as (typeof calls)[0]);
    expect(told).toEqual([
      [100, "append"],
      [100, null],
    ]);
  });

  test("tells of the next stall too, also of a call that began while the first hung", async () => {
    const { clock, watch, told } = setUp();
    const first = watch.begin("append");
    await clock.advance(150);
    watch.begin("purge");
    await clock.advance(10);
    watch.end(first);
    await clock.advance(1000);
    expect(told).toEqual([
      [100, "append"],
      [160, null],
      [250, "purge"],
    ]);
  });

  test("has one timer at most, and none when there is nothing to look for", async () => {
    const { clock, watch, timers } = setUp();
    const calls = Array.from({ length: 50 }, () => watch.begin("append"));
    expect(timers.size).toBe(1);
    await clock.advance(100);
    expect(timers.size).toBe(0);
    calls.push(...Array.from({ length: 50 }, () => watch.begin("append")));
    expect(timers.size).toBe(0);
    for (const call of calls.slice(0, 50)) watch.end(call);
    expect(timers.size).toBe(1);
    for (const call of calls) watch.end(call);
    await clock.advance(100);
    expect(timers.size).toBe(0);
  });

  test("once it is closed, tells nothing and has no timer", async () => {
    const { clock, watch, told, timers } = setUp();
    const first = watch.begin("append");
    watch.close();
    expect(timers.size).toBe(0);
    watch.begin("apply");
    await clock.advance(1000);
    watch.end(first);
    expect([told, timers.size]).toEqual([[], 0]);
  });

  test("closed during a stall, does not say that it is over", async () => {
    const { clock, watch, told, timers } = setUp();
    const call = watch.begin("append");
    await clock.advance(100);
    watch.close();
    watch.end(call);
    expect([told, timers.size]).toEqual([[[100, "append"]], 0]);
  });
});
