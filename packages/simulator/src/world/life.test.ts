import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { Life } from "./life.js";

function begin(rate = 1): {
  clock: VirtualClock;
  life: Life;
  log: string[];
  note: (what: string) => () => void;
} {
  const clock = new VirtualClock();
  const log: string[] = [];
  const note = (what: string) => (): void => void log.push(`${what} at ${clock.now}`);
  return { clock, life: new Life(clock, new SeededRandom(1), rate), log, note };
}

describe("a life", () => {
  test("has a clock of its own, fast or slow, and timers that go by it", async () => {
    const { clock, life, log, note } = begin(2);
    life.runtime.setTimer(100, note("timer"));
    await clock.advance(60);
    expect(log).toStrictEqual(["timer at 50"]);
    expect(life.runtime.now()).toBe(120);
  });

  test("does nothing any more once it has ended, whatever it had begun", async () => {
    const { clock, life, log, note } = begin();
    life.runtime.setTimer(10, note("timer"));
    life.runtime.soon(note("microtask"));
    life.runtime.yield(note("macrotask"));
    life.end();
    life.run(note("call"));
    await clock.advance(100);
    expect(log).toStrictEqual([]);
    expect(life.alive).toBe(false);
  });

  test("that is paused does nothing, and then everything at once, late and in order", async () => {
    const { clock, life, log, note } = begin();
    life.runtime.setTimer(10, note("first"));
    life.runtime.setTimer(20, note("second"));
    life.runtime.setTimer(80, note("third"));
    life.pause(50);
    await clock.advance(15);
    life.run(note("call"));
    await clock.advance(85);
    expect(log).toStrictEqual(["first at 50", "call at 50", "second at 50", "third at 80"]);
  });

  test("that is paused again meanwhile stands still until the later end", async () => {
    const { clock, life, log, note } = begin();
    life.pause(50);
    await clock.advance(30);
    life.pause(50);
    life.run(note("call"));
    await clock.advance(100);
    expect(log).toStrictEqual(["call at 80"]);
  });

  test("whose clock leaps finds due at once what was due by then, in order, and the rest nearer", async () => {
    const { clock, life, log, note } = begin();
    life.runtime.setTimer(70, note("second"));
    life.runtime.setTimer(50, note("first"));
    life.runtime.setTimer(130, note("later"));
    await clock.advance(10);
    life.jump(100);
    expect(life.runtime.now()).toBe(110);
    expect(log).toStrictEqual([]);
    await clock.advance(100);
    expect(log).toStrictEqual(["first at 10", "second at 10", "later at 30"]);
  });

  test("whose clock leaps does not bring back timers that were cancelled or have fired", async () => {
    const { clock, life, log, note } = begin();
    const cancelled = life.runtime.setTimer(50, note("cancelled"));
    life.runtime.setTimer(5, note("fired"));
    const late = life.runtime.setTimer(500, note("cancelled after the leap"));
    await clock.advance(10);
    cancelled.cancel();
    life.jump(100);
    late.cancel();
    await clock.advance(1_000);
    expect(log).toStrictEqual(["fired at 5"]);
  });
});
