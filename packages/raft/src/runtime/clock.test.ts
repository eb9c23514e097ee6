import { afterEach, describe, expect, test, vi } from "vitest";
import { systemRuntime } from "./clock.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe("the system runtime", () => {
  test("its clock never goes back", () => {
    let last = systemRuntime.now();
    for (let i = 0; i < 1000; i++) {
      const now = systemRuntime.now();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });

  test("a microtask comes before a macrotask, and both after the current turn", async () => {
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      systemRuntime.yield(() => {
        order.push("yielded");
        resolve();
      });
    });
    systemRuntime.soon(() => order.push("soon"));
    order.push("now");
    await done;
    expect(order).toEqual(["now", "soon", "yielded"]);
  });

  test("a timer fires once, and timers have their turn between yields", async () => {
    let fired = 0;
    systemRuntime.setTimer(0, () => {
      fired += 1;
    });
    // Bounded by turns: however slow the machine, the timer is due at its first look.
    for (let turns = 0; fired === 0 && turns < 1_000_000; turns++) {
      await new Promise<void>((resolve) => systemRuntime.yield(resolve));
    }
    expect(fired).toBe(1);
  });

  test("a cancelled timer never fires, and can be cancelled again", async () => {
    const fired: string[] = [];
    const timer = systemRuntime.setTimer(0, () => fired.push("cancelled"));
    timer.cancel();
    timer.cancel();
    await new Promise<void>((resolve) => {
      systemRuntime.setTimer(1, resolve);
    });
    expect(fired).toEqual([]);
  });

  test("random numbers are from 0 to below 1, and not always the same", () => {
    const numbers = Array.from({ length: 100 }, () => systemRuntime.random());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(1);
  });

  test("where there is no setImmediate a yield is a message to oneself, in order", async () => {
    const posted: (() => void)[] = [];
    vi.stubGlobal("setImmediate", undefined);
    vi.stubGlobal(
      "MessageChannel",
      class {
        readonly port1 = {
          addEventListener: (_: string, listener: () => void) => {
            this.#listener = listener;
          },
          start: () => {},
        };
        readonly port2 = { postMessage: () => void posted.push(this.#listener) };
        #listener: () => void = () => {};
      },
    );
    vi.resetModules();
    const { systemRuntime: browser } = await import("./clock.js");
    const order: string[] = [];
    browser.yield(() => order.push("first"));
    browser.yield(() => order.push("second"));
    expect(order).toEqual([]);
    for (const deliver of posted) deliver();
    expect(order).toEqual(["first", "second"]);
  });
});
