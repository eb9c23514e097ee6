import { InvalidValueError } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rejection } from "../../test/support/promises.js";
import { SeededRandom } from "./seeded-random.js";
import { VirtualClock } from "./virtual-clock.js";

function setUp(): {
  clock: VirtualClock;
  runtime: ReturnType<VirtualClock["runtime"]>;
  log: string[];
  note: (what: string) => () => void;
} {
  const clock = new VirtualClock();
  const log: string[] = [];
  return {
    clock,
    runtime: clock.runtime(new SeededRandom(1)),
    log,
    note: (what) => () => void log.push(`${clock.now} ${what}`),
  };
}

describe("virtual time", () => {
  test("stands still until it is moved", async () => {
    const { clock, runtime, log, note } = setUp();
    runtime.setTimer(0, note("timer"));
    runtime.yield(note("yield"));
    expect([clock.now, log]).toEqual([0, []]);
    await clock.advance(0);
    expect(log).toEqual(["0 timer", "0 yield"]);
    await clock.advance(25);
    expect([clock.now, runtime.now()]).toEqual([25, 25]);
  });

  test("timers fire at their own time, in the order of their times", async () => {
    const { clock, runtime, log, note } = setUp();
    runtime.setTimer(30, note("c"));
    runtime.setTimer(10, note("a"));
    runtime.setTimer(20, note("b"));
    await clock.advance(25);
    expect(log).toEqual(["10 a", "20 b"]);
    await clock.advance(5);
    expect(log).toEqual(["10 a", "20 b", "30 c"]);
  });

  test("what is due at one moment runs in the order in which it was set, on every runtime", async () => {
    const { clock, runtime, log, note } = setUp();
    const other = clock.runtime(new SeededRandom(2));
    runtime.setTimer(5, note("a"));
    other.setTimer(5, note("b"));
    runtime.setTimer(5, note("c"));
    await clock.advance(5);
    expect(log).toEqual(["5 a", "5 b", "5 c"]);
  });

  test("every order of setting gives the order of times, then of setting (property)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(10), { maxLength: 40 }), async (delays) => {
        const { clock, runtime, log, note } = setUp();
        delays.forEach((delay, i) => runtime.setTimer(delay, note(`${i}`)));
        await clock.advance(10);
        const expected = delays
          .map((delay, i) => ({ delay, i }))
          .sort((a, b) => a.delay - b.delay || a.i - b.i);
        expect(log).toEqual(expected.map(({ delay, i }) => `${delay} ${i}`));
      }),
      { numRuns: 50 },
    );
  });

  test("a timer set by a timer runs in the same advance when it is due in it", async () => {
    const { clock, runtime, log, note } = setUp();
    runtime.setTimer(10, () => runtime.setTimer(10, note("second")));
    await clock.advance(19);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(["20 second"]);
  });

  test("promises go on before time does", async () => {
    const { clock, runtime, log, note } = setUp();
    runtime.setTimer(1, () => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(note("promise"));
      runtime.soon(note("soon"));
    });
    runtime.setTimer(2, note("later"));
    await clock.advance(5);
    expect(log).toEqual(["1 soon", "1 promise", "2 later"]);
  });

  test("a cancelled timer never fires; cancelling twice, or after it fired, does nothing", async () => {
    const { clock, runtime, log, note } = setUp();
    const cancelled = runtime.setTimer(1, note("cancelled"));
    cancelled.cancel();
    cancelled.cancel();
    const fired = runtime.setTimer(2, note("fired"));
    await clock.advance(5);
    fired.cancel();
    expect(log).toEqual(["2 fired"]);
  });

  test("a cancelled timer does not let a later one run before its time", async () => {
    const { clock, runtime, log, note } = setUp();
    runtime.setTimer(1, note("cancelled")).cancel();
    runtime.setTimer(10, note("later"));
    await clock.advance(5);
    expect([clock.now, log]).toEqual([5, []]);
  });

  test("promises go on between two timers of one moment, however many there are", async () => {
    const { clock, runtime, log } = setUp();
    for (let i = 0; i < 200; i++) {
      runtime.setTimer(1, () => {
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => log.push(`${i} went on`));
        log.push(`${i}`);
      });
    }
    await clock.advance(1);
    expect(log).toEqual(Array.from({ length: 200 }, (_, i) => [`${i}`, `${i} went on`]).flat());
  });

  test("what a timer throws ends the advance, and the next one goes on after it", async () => {
    const { clock, runtime, log, note } = setUp();
    runtime.setTimer(1, () => {
      throw new Error("broken");
    });
    runtime.setTimer(1, note("next"));
    await expect(clock.advance(5)).rejects.toThrow("broken");
    expect(log).toEqual([]);
    await clock.advance(5);
    expect(log).toEqual(["1 next"]);
  });

  test("a delay below 0 is one of 0", async () => {
    const { clock, runtime, log, note } = setUp();
    await clock.advance(7);
    runtime.setTimer(-5, note("timer"));
    await clock.advance(0);
    expect(log).toEqual(["7 timer"]);
  });

  test("randomness is the source's", () => {
    const expected = new SeededRandom(6).next();
    expect(new VirtualClock().runtime(new SeededRandom(6)).random()).toBe(expected);
  });
});

describe("running until something holds", () => {
  test("stops at the moment it does, and goes no further", async () => {
    const { clock, runtime, log, note } = setUp();
    for (const ms of [10, 20, 30]) runtime.setTimer(ms, note("tick"));
    await clock.runUntil("two ticks", () => log.length === 2, 1000);
    expect(clock.now).toBe(20);
  });

  test("moves no time when it holds already", async () => {
    const { clock, runtime, note } = setUp();
    runtime.setTimer(1, note("tick"));
    await clock.runUntil("nothing", () => true, 1000);
    expect(clock.now).toBe(0);
  });

  test("says what did not happen, and within what time", async () => {
    const { clock, runtime, note } = setUp();
    runtime.setTimer(101, note("too late"));
    const error = await rejection(clock.runUntil("the end of the world", () => false, 100));
    expect(error.message).toBe("the end of the world did not happen within 100 virtual milliseconds");
    expect(clock.now).toBeLessThanOrEqual(100);
  });

  test("gives up at once when nothing is left that could make it happen", async () => {
    const { clock } = setUp();
    await expect(clock.runUntil("a miracle", () => false, 1e12)).rejects.toThrow("a miracle did not happen");
  });

  test("a promise gives its value, or its error", async () => {
    const { clock, runtime } = setUp();
    const later = new Promise<string>((resolve) => {
      runtime.setTimer(50, () => resolve("done"));
    });
    expect(await clock.runUntilSettled(later, 100)).toBe("done");
    expect(clock.now).toBe(50);
    const never = new Promise<string>((_, reject) => {
      runtime.setTimer(10, () => reject(new Error("no")));
    });
    expect((await rejection(clock.runUntilSettled(never, 100))).message).toBe("no");
    const open = await rejection(clock.runUntilSettled(new Promise(() => {}), 100));
    expect(open.message).toContain("the promise to settle did not happen");
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("%d is no time to move on by", async (ms) => {
    const { clock } = setUp();
    const advanced = await rejection(clock.advance(ms));
    expect(advanced).toBeInstanceOf(InvalidValueError);
    expect(advanced).toMatchObject({ field: "ms" });
    expect(await rejection(clock.runUntil("x", () => false, ms))).toMatchObject({ field: "limitMs" });
  });
});
