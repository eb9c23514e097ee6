import { describe, expect, test } from "vitest";
import { closedLoop, runClosedLoop } from "./closed-loop.js";
import { promiseLimit } from "./promise-limit.js";

const LONG = { seconds: Number.POSITIVE_INFINITY };

describe("a closed loop", () => {
  test("has as many operations under way as there are clients, and never more", async () => {
    let underWay = 0;
    let most = 0;
    const loop = closedLoop(
      7,
      async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await Promise.resolve();
        underWay -= 1;
      },
      () => {},
    );
    await runClosedLoop(loop, { ...LONG, operations: 500 });
    expect(most).toBe(7);
  });

  test("tells every answer, those too that were under way at the end, and counts them", async () => {
    let asked = 0;
    const answers: number[] = [];
    const loop = closedLoop(
      8,
      () => Promise.resolve((asked += 1)),
      (answer) => answers.push(answer),
    );
    const { operations } = await runClosedLoop(loop, { ...LONG, operations: 1000 });
    expect(operations).toBeGreaterThanOrEqual(1000);
    expect(operations).toBeLessThan(1000 + 8);
    expect(answers).toHaveLength(operations);
    expect(asked).toBe(operations);
  });

  test("ends when its time is over", async () => {
    const { seconds, operations, perSecond } = await runClosedLoop(promiseLimit(3), { seconds: 0.02 });
    expect(seconds).toBeGreaterThanOrEqual(0.02);
    expect(perSecond).toBeCloseTo(operations / seconds, 3);
  });

  test("ends when what it goes beside is done, and not before", async () => {
    let finish = (): void => {};
    const until = new Promise<void>((resolve) => (finish = resolve));
    let operations = 0;
    const loop = closedLoop(
      2,
      async () => {
        operations += 1;
        if (operations === 300) finish();
      },
      () => {},
    );
    const round = await runClosedLoop(loop, { ...LONG, until });
    expect(round.operations).toBeGreaterThanOrEqual(299);
    expect(round.operations).toBeLessThan(400);
  });

  test("fails with the first operation that does, and begins no more", async () => {
    let operations = 0;
    const loop = closedLoop(
      4,
      async () => {
        operations += 1;
        if (operations === 100) throw new Error("refused");
      },
      () => {},
    );
    await expect(runClosedLoop(loop, LONG)).rejects.toThrow("refused");
    const after = operations;
    await new Promise(setImmediate);
    expect(operations).toBeLessThanOrEqual(after + 3);
  });
});

describe("the promise limit", () => {
  test("answers in a later turn of the microtasks, all of one turn together", async () => {
    const { operation } = promiseLimit(2);
    const order: string[] = [];
    void operation().then(() => order.push("first"));
    void operation().then(() => order.push("second"));
    queueMicrotask(() => order.push("after the turn of both"));
    expect(order).toEqual([]);
    await new Promise(setImmediate);
    expect(order).toEqual(["after the turn of both", "first", "second"]);
  });

  test("leaves timers and sockets their turn", async () => {
    let timers = 0;
    const timer = setInterval(() => (timers += 1), 1);
    const until = new Promise<void>((resolve) => setTimeout(resolve, 20));
    await runClosedLoop(promiseLimit(1), { ...LONG, until });
    clearInterval(timer);
    expect(timers).toBeGreaterThan(0);
  });
});
