import { describe, expect, test } from "vitest";
import { simulate } from "../src/simulation.js";
import * as broken from "./support/broken-machines.js";
import { LockMachine, lockSystem } from "./support/lock-system.js";
import { RESTARTS } from "./support/restarts.js";

describe("a user's state machine", () => {
  test("that is right passes, and serves in the end", async () => {
    const { violation, coverage } = await simulate(
      RESTARTS,
      lockSystem(() => new LockMachine()),
    );
    expect(violation).toBeNull();
    expect(coverage.get("histories ok")).toBe(1);
    expect(coverage.get("snapshot: done")).toBeGreaterThan(0);
  });

  test.each([
    ["reads Date.now()", broken.ReadsTheClock, /it reads Date\.now\(\) or new Date\(\), first at entry \d+/],
    ["makes dates", broken.MakesDates, /it reads Date\.now\(\) or new Date\(\)/],
    ["reads performance.now()", broken.ReadsUptime, /it reads performance\.now\(\)/],
    ["draws random numbers", broken.DrawsTokens, /it reads Math\.random\(\)/],
    ["draws UUIDs", broken.DrawsUuids, /it reads crypto\.randomUUID\(\)/],
    ["shares a variable", broken.sharesACounter(), /keeps something outside of itself/],
    ["loses the order of insertion in a snapshot", broken.LosesTheOrder, /Restored from a snapshot/],
    ["leaves a field out of its snapshots", broken.ForgetsAField, /Restored from a snapshot/],
    ["restores what it did not capture", broken.RestoresOtherwise, /captures something else now/],
    ["cannot restore what it captured", broken.CannotRestore, /restore threw at what was captured/],
    ["captures what it is going to be", broken.CapturesLate, /changed while later entries were applied/],
    ["throws", broken.Throws, /apply threw at entry \d+ .*TypeError: owner is undefined/],
    ["answers with promises", broken.Promises, /answered entry \d+ with a promise/],
    ["changes commands", broken.ChangesCommands, /apply changed the command of entry \d+/],
    ["changes when it is read", broken.ChangesOnRead, /beside apply and restore, such as a read/],
  ] as const)("that %s is caught, and what is wrong with it is said", async (_, make, message) => {
    const { violation } = await simulate(
      RESTARTS,
      lockSystem(() => new make()),
    );
    expect(violation?.message).toMatch(message);
  });

  test("does the same in every run of a seed, whatever clock and chance it reads", async () => {
    const system = lockSystem(() => new broken.DrawsTokens());
    const [one, other] = [await simulate(RESTARTS, system), await simulate(RESTARTS, system)];
    expect(other.violation?.message).toBe(one.violation?.message);
    expect(other.traceHash).toBe(one.traceHash);
  });

  test("without a model is held against the other replicas all the same", async () => {
    const { model: _, ...system } = lockSystem(() => new broken.ForgetsAField());
    const { violation } = await simulate(RESTARTS, system);
    expect(violation?.message).toMatch(/^B5 /);
  });
});
