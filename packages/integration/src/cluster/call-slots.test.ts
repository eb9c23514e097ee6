import { OverloadedError, TimeoutError } from "@seshat/common";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { CallSlots } from "./call-slots.js";

function setUp(running: number, waiting: number) {
  const clock = new VirtualClock();
  const slots = new CallSlots(clock.runtime(new SeededRandom(1)), { running, waiting });
  const entered: string[] = [];
  const enter = (name: string, timeoutMs = 1000): void => {
    slots.enter(timeoutMs).then(
      () => entered.push(name),
      (error: unknown) => entered.push(`${name}: ${(error as Error).constructor.name} at ${clock.now}`),
    );
  };
  return { clock, slots, entered, enter };
}

describe("CallSlots", () => {
  test("calls past the limit wait, and get their slots in the order in which they came", async () => {
    const { clock, slots, entered, enter } = setUp(2, 10);
    for (const name of ["a", "b", "c", "d"]) enter(name);
    await clock.advance(0);
    expect(entered).toEqual(["a", "b"]);
    slots.leave();
    // A slot that was given back belongs to who waits, not to who comes along.
    enter("e");
    await clock.advance(0);
    expect(entered).toEqual(["a", "b", "c"]);
    slots.leave();
    slots.leave();
    await clock.advance(0);
    expect(entered).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("who waited in vain is passed over, and its slot is not lost", async () => {
    const { clock, slots, entered, enter } = setUp(1, 10);
    enter("a");
    enter("b", 50);
    enter("c", 500);
    await clock.advance(100);
    expect(entered).toEqual(["a", `b: ${TimeoutError.name} at 50`]);
    slots.leave();
    await clock.advance(1000);
    expect(entered.slice(2)).toEqual(["c"]);
    slots.leave();
    enter("d");
    enter("e");
    await clock.advance(0);
    expect(entered.slice(3)).toEqual(["d"]);
  });

  test("too many that wait are refused at once", async () => {
    const { clock, entered, enter } = setUp(1, 2);
    for (const name of ["a", "b", "c", "d"]) enter(name);
    await clock.advance(0);
    expect(entered).toEqual(["a", `d: ${OverloadedError.name} at 0`]);
  });
});
