import { TimeoutError, UnknownOutcomeError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { outcomeOf, settled } from "../../test/support/promises.js";
import type { Outcome } from "../../test/support/promises.js";
import { logId } from "../../test/support/values.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import type { ClientWriteResponse, Writer } from "./clients.js";
import { guardedWrites } from "./guarded-write.js";
import type { Patience } from "./patience.js";

/** A signal that counts its listeners. */
function countedSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const listening = new Set<unknown>();
  const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
  signal.addEventListener = (...args: unknown[]) => {
    listening.add(args[1]);
    add(...args);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    listening.delete(args[1]);
    remove(...args);
  };
  return { controller, listeners: () => listening.size };
}

interface World {
  readonly clock: VirtualClock;
  readonly outcome: Outcome<ClientWriteResponse<string>[]>;
  readonly writers: Writer<string>[];
  readonly timers: () => number;
  readonly withdrawn: (readonly Writer<string>[])[];
}

function start(
  sizes: number[],
  patience: Patience,
  door: { withdraw?: boolean; start?: (writers: readonly Writer<string>[]) => void } = {},
): World {
  const clock = new VirtualClock();
  const runtime = clock.runtime(new SeededRandom(1));
  let timers = 0;
  const counting = {
    ...runtime,
    setTimer: (ms: number, callback: () => void) => {
      timers += 1;
      let over = false;
      const end = (): void => {
        if (!over) timers -= 1;
        over = true;
      };
      const timer = runtime.setTimer(ms, () => {
        end();
        callback();
      });
      return {
        cancel: () => {
          end();
          timer.cancel();
        },
      };
    },
  };
  const writers: Writer<string>[] = [];
  const withdrawn: (readonly Writer<string>[])[] = [];
  const outcome = outcomeOf(
    guardedWrites<string>(sizes, patience, counting, {
      start: (all) => {
        writers.push(...all);
        door.start?.(all);
      },
      withdraw: (all) => {
        withdrawn.push(all);
        return door.withdraw ?? false;
      },
    }),
  );
  return { clock, outcome, writers, withdrawn, timers: () => timers };
}

function response(index: number): ClientWriteResponse<string> {
  return { logId: logId(1, index), response: `r${index}` };
}

describe("writes made together", () => {
  test("answer with all responses in order, whatever order they come in, and count what each counts", async () => {
    const { outcome, writers } = start([1, 20, 300], {});
    expect(writers.map(({ bytes }) => bytes)).toEqual([1, 20, 300]);
    for (const i of [2, 0, 1]) {
      await settled();
      expect(outcome.values).toEqual([]);
      writers[i]?.resolve(response(i));
    }
    await settled();
    expect(outcome.values).toEqual([[response(0), response(1), response(2)]]);
  });

  test("fail with the first failure", async () => {
    const { outcome, writers } = start([1, 1], {});
    const first = new Error("first");
    writers[1]?.reject(first);
    writers[0]?.reject(new Error("second"));
    await settled();
    expect(outcome.errors).toEqual([first]);
  });
});

describe("a caller who gives up", () => {
  test("before it began: nothing is started, and the reason is the error", async () => {
    const reason = new Error("changed my mind");
    const { outcome, writers, timers } = start([1], { signal: AbortSignal.abort(reason), timeoutMs: 5 });
    await settled();
    expect(outcome.errors).toEqual([reason]);
    expect(writers).toEqual([]);
    expect(timers()).toBe(0);
  });

  test("in time: all are taken back together, and the reason is the error", async () => {
    const { controller, listeners } = countedSignal();
    const { outcome, writers, withdrawn } = start([1, 1], { signal: controller.signal }, { withdraw: true });
    controller.abort();
    await settled();
    expect(outcome.errors).toEqual([controller.signal.reason]);
    expect(withdrawn).toEqual([writers]);
    expect(listeners()).toBe(0);
  });

  test("too late: the outcome is unknown, the reason is its cause, and what comes later changes nothing", async () => {
    const { controller } = countedSignal();
    const { outcome, writers } = start([1], { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    writers[0]?.resolve(response(1));
    await settled();
    expect(outcome.values).toEqual([]);
    expect(outcome.errors).toHaveLength(1);
    expect(outcome.errors[0]).toBeInstanceOf(UnknownOutcomeError);
    expect(outcome.errors[0]).toMatchObject({ cause: reason });
    expect(outcome.errors[0]?.message).toContain("gave up waiting (enough)");
  });

  test("with a reason that is no error: it becomes one", async () => {
    const { controller } = countedSignal();
    const { outcome } = start([1], { signal: controller.signal }, { withdraw: true });
    controller.abort("because");
    await settled();
    expect(outcome.errors[0]).toBeInstanceOf(Error);
    expect(outcome.errors[0]).toMatchObject({ message: "because", cause: "because" });
  });

  test.each([
    [true, TimeoutError],
    [false, UnknownOutcomeError],
  ])("by a timeout, taken back %s: at that time, not before", async (withdraw, error) => {
    const { outcome, clock } = start([1], { timeoutMs: 100 }, { withdraw });
    await clock.advance(99);
    expect(outcome.errors).toEqual([]);
    await clock.advance(1);
    expect(outcome.errors[0]).toBeInstanceOf(error);
    const timeout = withdraw ? outcome.errors[0] : outcome.errors[0]?.cause;
    expect(timeout).toMatchObject({ message: "the write did not happen within 100 ms" });
  });

  test("twice, by signal and by timeout, gives up once", async () => {
    const { controller } = countedSignal();
    const { outcome, clock, withdrawn } = start([1], { signal: controller.signal, timeoutMs: 100 });
    controller.abort();
    await clock.advance(1000);
    expect(outcome.errors).toHaveLength(1);
    expect(withdrawn).toHaveLength(1);
  });
});

describe("nothing is left behind on the signal or the clock", () => {
  test.each<[string, (world: World, controller: AbortController) => void | Promise<void>]>([
    ["answered", ({ writers }) => writers[0]?.resolve(response(1))],
    ["refused", ({ writers }) => writers[0]?.reject(new Error("no"))],
    ["aborted", (_, controller) => controller.abort()],
    ["timed out", ({ clock }) => clock.advance(100)],
  ])("when the write was %s", async (_, end) => {
    const { controller, listeners } = countedSignal();
    const world = start([1], { signal: controller.signal, timeoutMs: 100 });
    expect([listeners(), world.timers()]).toEqual([1, 1]);
    await end(world, controller);
    await settled();
    expect(world.outcome.values.length + world.outcome.errors.length).toBe(1);
    expect([listeners(), world.timers()]).toEqual([0, 0]);
  });

  test("when it was refused at once", async () => {
    const { controller, listeners } = countedSignal();
    const refuse = (writers: readonly Writer<string>[]): void =>
      writers.forEach((writer) => writer.reject(new Error("no")));
    const world = start([1, 1], { signal: controller.signal, timeoutMs: 100 }, { start: refuse });
    await settled();
    expect(world.outcome.errors).toHaveLength(1);
    expect([listeners(), world.timers()]).toEqual([0, 0]);
  });
});
