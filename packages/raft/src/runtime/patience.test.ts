import { TimeoutError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { deferred, outcomeOf, settled } from "../../test/support/promises.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { withPatience } from "./patience.js";

function setUp() {
  const clock = new VirtualClock();
  return { clock, runtime: clock.runtime(new SeededRandom(1)), work: deferred<number>() };
}

describe("a caller with patience", () => {
  test("gets what comes of it: the value, or the error", async () => {
    for (const patience of [{}, { timeoutMs: 100 }, { signal: new AbortController().signal }]) {
      const { runtime, work } = setUp();
      const good = outcomeOf(withPatience("it", patience, runtime, () => work.promise));
      const bad = outcomeOf(withPatience("it", patience, runtime, () => Promise.reject(new Error("no"))));
      work.resolve(7);
      await settled();
      expect(good).toEqual({ values: [7], errors: [] });
      expect(bad.errors).toMatchObject([{ message: "no" }]);
    }
  });

  test("gives up at its time, or when its signal says so, once; what comes later is dropped", async () => {
    const { clock, runtime, work } = setUp();
    const controller = new AbortController();
    const patience = { timeoutMs: 100, signal: controller.signal };
    const timely = outcomeOf(withPatience("it", patience, runtime, () => work.promise));
    await clock.advance(100);
    expect(timely.errors).toEqual([new TimeoutError("it", 100)]);
    const aborted = outcomeOf(withPatience("it", patience, runtime, () => work.promise));
    controller.abort(new Error("enough"));
    await settled();
    expect(aborted.errors).toMatchObject([{ message: "enough" }]);
    work.resolve(1);
    await clock.advance(1000);
    expect([...timely.values, ...aborted.values]).toEqual([]);
    expect([timely.errors.length, aborted.errors.length]).toEqual([1, 1]);
  });

  test("who has given up before starts nothing", async () => {
    const { runtime } = setUp();
    const reason = new Error("never mind");
    const start = () => expect.unreachable("it was started");
    const outcome = outcomeOf(withPatience("it", { signal: AbortSignal.abort(reason) }, runtime, start));
    await settled();
    expect(outcome.errors).toEqual([reason]);
  });

  test("is told by an error of its own kind, made from the reason", async () => {
    const { clock, runtime, work } = setUp();
    const outcome = outcomeOf(
      withPatience(
        "it",
        { timeoutMs: 5 },
        runtime,
        () => work.promise,
        (cause) => new Error("unknown", { cause }),
      ),
    );
    await clock.advance(5);
    expect(outcome.errors).toMatchObject([{ message: "unknown", cause: new TimeoutError("it", 5) }]);
  });
});
