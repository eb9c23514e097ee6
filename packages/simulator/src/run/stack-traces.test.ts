import { expect, test } from "vitest";
import { makePlan } from "../faults/plan.js";
import { simulate } from "../simulation.js";
import { SimMachine } from "../workload/sim-machine.js";
import { leaveOutStackTraces } from "./stack-traces.js";

function frames(): number {
  return (new Error("here").stack ?? "").split("\n").length - 1;
}

test("stack traces are back once the last run that does without is over", () => {
  const before = frames();
  expect(before).toBeGreaterThan(0);
  const first = leaveOutStackTraces();
  const second = leaveOutStackTraces();
  expect(frames()).toBe(0);
  first();
  expect(frames()).toBe(0);
  second();
  expect(frames()).toBe(before);
});

test("an error that nobody expected says where it was made, all the same", async () => {
  class Broken extends SimMachine {
    override read(key: string): never {
      throw new TypeError(`no ${key}`);
    }
  }
  const system = { makeMachine: () => new Broken(), read: (machine: SimMachine) => machine.read("key") };
  const { violation } = await simulate({ ...makePlan(3), faultyMs: 500, actions: [] }, system);
  expect(violation).toBeInstanceOf(TypeError);
  expect(violation?.stack).toContain("stack-traces.test.ts");
  expect(frames()).toBeGreaterThan(0);
});
