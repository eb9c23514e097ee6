import { TimeoutError } from "@seshat/common";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes } from "../../test/support/bytes.js";
import { KeyOrder } from "./key-order.js";

function setUp() {
  const clock = new VirtualClock();
  const runtime = clock.runtime(new SeededRandom(1));
  const order = new KeyOrder(runtime);
  const story: string[] = [];
  /** A write that takes `takesMs`. */
  const write = (name: string, keys: string, takesMs: number, timeoutMs = 1000): Promise<void> =>
    order.run(keys.split("").map(bytes), timeoutMs, async (left) => {
      story.push(`${name} begins at ${clock.now}, has ${left}`);
      await new Promise<void>((resolve) => runtime.setTimer(takesMs, resolve));
      story.push(`${name} ends`);
    });
  return { clock, order, story, write };
}

describe("KeyOrder", () => {
  test("writes to one key wait for each other, others do not, and waiting counts", async () => {
    const { clock, story, write } = setUp();
    const all = [
      write("1", "a", 30),
      write("2", "b", 10),
      write("3", "ab", 10),
      write("4", "b", 10),
      write("5", "c", 5),
    ];
    await clock.runUntilSettled(Promise.all(all), 1000);
    expect(story).toEqual([
      "1 begins at 0, has 1000",
      "2 begins at 0, has 1000",
      "5 begins at 0, has 1000",
      "5 ends",
      "2 ends",
      "1 ends",
      "3 begins at 30, has 970",
      "3 ends",
      "4 begins at 40, has 960",
      "4 ends",
    ]);
  });

  test("one that comes while the second of two is under way waits for that, and in the end nothing is kept", async () => {
    const { clock, order, story, write } = setUp();
    const all = [write("1", "a", 10), write("2", "a", 10)];
    await clock.advance(15);
    all.push(write("3", "ab", 10));
    expect(order.size).toBe(2);
    await clock.runUntilSettled(Promise.all(all), 1000);
    expect(story.at(-2)).toBe("3 begins at 20, has 995");
    expect(order.size).toBe(0);
  });

  test("one that fails lets the next go on, and its error is its own", async () => {
    const { clock, order, story, write } = setUp();
    const failed = order.run([bytes("a")], 1000, () => Promise.reject(new RangeError("broken")));
    const next = write("next", "a", 1);
    await expect(failed).rejects.toThrow("broken");
    await clock.runUntilSettled(next, 1000);
    expect(story).toHaveLength(2);
  });

  test("one whose turn does not come in time is not made, and those behind it still wait for those before it", async () => {
    const { clock, story, write } = setUp();
    const first = write("first", "a", 100);
    const gaveUp = write("gave up", "a", 1, 20);
    const last = write("last", "a", 1);
    gaveUp.catch(() => undefined);
    await clock.advance(50);
    await expect(gaveUp).rejects.toBeInstanceOf(TimeoutError);
    expect(story).toEqual(["first begins at 0, has 1000"]);
    await clock.runUntilSettled(Promise.all([first, last]), 1000);
    expect(story).toEqual([
      "first begins at 0, has 1000",
      "first ends",
      "last begins at 100, has 900",
      "last ends",
    ]);
  });

  test("whatever the keys and times, writes with a key in common never overlap and keep their order", async () => {
    const anyWrite = fc.record({
      keys: fc.subarray(["a", "b", "c", "d"], { minLength: 1 }),
      takesMs: fc.nat(20),
      fails: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyWrite, { maxLength: 20 }), async (writes) => {
        const clock = new VirtualClock();
        const runtime = clock.runtime(new SeededRandom(1));
        const order = new KeyOrder(runtime);
        const busy = new Map<string, number>();
        const seen = new Map<string, number[]>();
        const done = writes.map(({ keys, takesMs, fails }, i) =>
          order
            .run(keys.map(bytes), 10_000, async () => {
              for (const key of keys) {
                expect(busy.has(key)).toBe(false);
                busy.set(key, i);
                seen.set(key, [...(seen.get(key) ?? []), i]);
              }
              await new Promise<void>((resolve) => runtime.setTimer(takesMs, resolve));
              for (const key of keys) busy.delete(key);
              if (fails) throw new RangeError("broken");
            })
            .catch((error: unknown) => expect(error).toBeInstanceOf(RangeError)),
        );
        await clock.runUntilSettled(Promise.all(done), 10_000);
        for (const key of ["a", "b", "c", "d"]) {
          const expected = writes.flatMap(({ keys }, i) => (keys.includes(key) ? [i] : []));
          expect(seen.get(key) ?? []).toEqual(expected);
        }
      }),
      { numRuns: 50 },
    );
  });
});
