import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OutsideWorld } from "./outside-world.js";
import { installOutsideWorlds, within, withinUntilSettled } from "./outside-world.js";

function worldAt(date: number): OutsideWorld {
  return {
    date: () => date,
    performance: () => 5,
    hrtime: () => 1_500,
    random: () => 0.25,
    crypto: () => 0.5,
  };
}

describe("what runs in a world", () => {
  let uninstall: () => void;
  beforeEach(() => {
    uninstall = installOutsideWorlds();
  });
  afterEach(() => uninstall());

  test("finds its calendar, however it asks for it", () => {
    within(worldAt(86_400_000.7), () => {
      expect(Date.now()).toBe(86_400_000);
      expect(new Date().getTime()).toBe(86_400_000);
      expect(Date()).toContain("1970");
      expect(new Date()).toBeInstanceOf(Date);
      expect(new Date(2020, 1, 2).getFullYear()).toBe(2020);
      expect(Date.UTC(2020, 0)).toBe(1_577_836_800_000);
    });
  });

  test("finds its clock and its chance", () => {
    within(worldAt(0), () => {
      expect(performance.now()).toBe(5);
      expect(process.hrtime()).toEqual([1, 500_000_000]);
      expect(process.hrtime([1, 0])).toEqual([0, 500_000_000]);
      expect(process.hrtime.bigint()).toBe(1_500_000_000n);
      expect(Math.random()).toBe(0.25);
      expect(crypto.randomUUID()).toBe("88888888-8888-4888-8888-888888888888");
      expect(crypto.getRandomValues(new Uint8Array(2))).toEqual(Uint8Array.of(128, 128));
    });
  });

  test("leaves the real one to what runs outside, also after an error", () => {
    expect(() =>
      within(worldAt(0), () => {
        throw new Error("oops");
      }),
    ).toThrow("oops");
    expect(Date.now()).toBeGreaterThan(1_000_000_000_000);
    expect(performance.now()).not.toBe(5);
    expect(process.hrtime.bigint()).not.toBe(1_500_000_000n);
    expect(crypto.randomUUID()).not.toBe(crypto.randomUUID());
    expect(process.hrtime()[0]).toBeGreaterThan(1);
  });

  test("finds it until its promise settles, and what begins meanwhile finds its own", async () => {
    const seen: number[] = [];
    let goOn = (): void => {};
    const restoring = withinUntilSettled(worldAt(1_000), async () => {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      seen.push(Date.now());
    });
    within(worldAt(2_000), () => seen.push(Date.now()));
    goOn();
    await restoring;
    expect(seen).toEqual([2_000, 1_000]);
    expect(Date.now()).toBeGreaterThan(1_000_000_000_000);
  });
});

describe("when no simulation runs any more", () => {
  test("everything is as it was before", () => {
    const RealDate = Date;
    const read = (): unknown[] =>
      [
        [globalThis, "Date"],
        [RealDate, "now"],
        [Math, "random"],
        [performance, "now"],
        [process, "hrtime"],
        [crypto, "randomUUID"],
        [crypto, "getRandomValues"],
      ].map(([of, key]) => Object.getOwnPropertyDescriptor(of, key as string));
    const before = read();
    const [first, second] = [installOutsideWorlds(), installOutsideWorlds()];
    first();
    expect(Date).not.toBe(RealDate);
    second();
    expect(Date).toBe(RealDate);
    expect(read()).toEqual(before);
  });
});
