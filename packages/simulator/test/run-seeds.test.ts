import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { runSeeds } from "../src/run-seeds.js";
import { SimulationError } from "../src/simulation-error.js";
import { simSystem } from "../src/workload/sim-system.js";
import { ReadsTheClock } from "./support/broken-machines.js";
import { LockMachine, lockSystem } from "./support/lock-system.js";

describe("running seeds", () => {
  test("says what they came to when all of them hold", async () => {
    const report = await runSeeds(simSystem, { seeds: 2, from: 7, faultyMs: 200 });
    expect(report.seeds).toBe(2);
    expect(report.steps).toBeGreaterThan(1_000);
    expect(report.coverage.get("histories ok")).toBe(2);
  });

  test("stops at the first that fails, says how to run it again, and leaves out what it does not take", async () => {
    const system = lockSystem(() => new ReadsTheClock());
    const failure = await runSeeds(system, { from: 5, faultyMs: 300 }).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(SimulationError);
    const { seed, property, message, result } = failure as SimulationError;
    expect([seed, property, result.seed]).toEqual([5, "B5 state machine safety", 5]);
    expect(message).toContain("runSeeds(system, { seeds: 1, from: 5, faultyMs: 300 })");
    const again = await runSeeds(system, { seeds: 1, from: 5, faultyMs: 300 }).catch(
      (thrown: unknown) => thrown,
    );
    expect((again as Error).message).toBe(message);
    const explanation = await (failure as SimulationError).explain();
    expect(explanation).toContain("1 clients and no faults");
    expect(explanation).toMatch(/What happened last:\n {2}\d+\.\d+ node \d/);
  });

  test("has a picture of what clients saw and nobody can explain", async () => {
    class Stale extends LockMachine {
      override owner(): { owner: null; token: number } {
        return { owner: null, token: 0 };
      }
    }
    const failure = await runSeeds(
      lockSystem(() => new Stale()),
      { seeds: 1, faultyMs: 100 },
    ).catch((thrown: unknown) => thrown);
    const { property, picture } = failure as SimulationError;
    expect(property).toBe("C8 linearizability");
    expect(picture).toMatch(/^<svg/);
  });

  test.each([
    [{ seeds: 0 }, "options.seeds"],
    [{ from: -1 }, "options.from"],
    [{ faultyMs: 1.5 }, "options.faultyMs"],
  ])("refuses %j, and names the field", async (options, field) => {
    const refusal = await runSeeds(simSystem, options).catch((thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(InvalidValueError);
    expect((refusal as InvalidValueError).field).toBe(field);
  });

  test("says what a system lacks: a read where an operation is no command", async () => {
    const unreadable = {
      makeMachine: () => simSystem.makeMachine(),
      operation: simSystem.operation.bind(simSystem),
      toCommand: simSystem.toCommand.bind(simSystem),
    };
    const failure = await runSeeds(unreadable, { seeds: 1, faultyMs: 100 }).catch(
      (thrown: unknown) => thrown,
    );
    expect((failure as Error).message).toMatch(/^system\.read is undefined/);
  });
});
