import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { StepTimer } from "./step-timer.js";

function setUp(): {
  clock: VirtualClock;
  timer: StepTimer;
  due: number[];
  timersSet: () => number;
  moveTo: (deadline: number) => void;
} {
  const clock = new VirtualClock();
  const runtime = clock.runtime(new SeededRandom(1));
  const due: number[] = [];
  let deadline = Number.POSITIVE_INFINITY;
  let set = 0;
  const counting = {
    ...runtime,
    setTimer: (delayMs: number, callback: () => void) => {
      set += 1;
      return runtime.setTimer(delayMs, callback);
    },
  };
  const timer = new StepTimer(counting, { nextDeadline: () => deadline }, () => {
    due.push(clock.now);
    deadline = Number.POSITIVE_INFINITY;
  });
  return {
    clock,
    timer,
    due,
    timersSet: () => set,
    moveTo: (next) => {
      deadline = next;
      timer.adjust();
    },
  };
}

describe("the step timer", () => {
  test("tells when the deadline has passed, and not before", async () => {
    const { clock, due, moveTo } = setUp();
    moveTo(100);
    await clock.advance(99);
    expect(due).toEqual([]);
    await clock.advance(1);
    expect(due).toEqual([100]);
  });

  test("sets nothing while there is no deadline", async () => {
    const { clock, due, moveTo, timersSet } = setUp();
    moveTo(Number.POSITIVE_INFINITY);
    await clock.advance(10_000);
    expect(due).toEqual([]);
    expect(timersSet()).toBe(0);
  });

  test("follows a deadline that moves nearer", async () => {
    const { clock, due, moveTo } = setUp();
    moveTo(100);
    moveTo(40);
    await clock.advance(200);
    expect(due).toEqual([40]);
  });

  test("follows a deadline that moves later, without setting a timer at every move", async () => {
    const { clock, due, moveTo, timersSet } = setUp();
    for (let ms = 0; ms < 1000; ms += 10) {
      moveTo(ms + 150);
      await clock.advance(10);
    }
    expect(due).toEqual([]);
    await clock.advance(150);
    expect(due).toEqual([990 + 150]);
    expect(timersSet()).toBeLessThan(15);
  });

  test("a deadline that has passed already is due in the next turn, not within the call", async () => {
    const { clock, due, moveTo } = setUp();
    await clock.advance(50);
    moveTo(Number.NEGATIVE_INFINITY);
    expect(due).toEqual([]);
    await clock.advance(0);
    expect(due).toEqual([50]);
  });

  test("can be set again after it was due", async () => {
    const { clock, due, moveTo } = setUp();
    moveTo(10);
    await clock.advance(10);
    moveTo(20);
    await clock.advance(10);
    expect(due).toEqual([10, 20]);
  });

  test("once cancelled it stays silent, also when it is adjusted", async () => {
    const { clock, timer, due, moveTo } = setUp();
    moveTo(10);
    timer.cancel();
    moveTo(5);
    await clock.advance(100);
    expect(due).toEqual([]);
  });
});
