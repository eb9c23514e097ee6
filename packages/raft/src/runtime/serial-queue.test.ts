import { describe, expect, test } from "vitest";
import { deferred, outcomeOf, settled } from "../../test/support/promises.js";
import type { Deferred } from "../../test/support/promises.js";
import { SerialQueue } from "./serial-queue.js";

/** A queue of tasks that end when the test says so; numbers end at once. */
function slowQueue(): { queue: SerialQueue<Deferred<void>>; started: Deferred<void>[]; errors: unknown[] } {
  const started: Deferred<void>[] = [];
  const errors: unknown[] = [];
  const queue = new SerialQueue<Deferred<void>>(
    (task) => {
      started.push(task);
      return task.promise;
    },
    (error) => errors.push(error),
  );
  return { queue, started, errors };
}

describe("a serial queue", () => {
  test("runs tasks that answer synchronously at once, within the push", () => {
    const ran: number[] = [];
    const queue = new SerialQueue<number>(
      (task) => void ran.push(task),
      () => {},
    );
    queue.push(1);
    expect(ran).toEqual([1]);
    queue.push(2);
    expect(ran).toEqual([1, 2]);
  });

  test("runs one task at a time, in order", async () => {
    const { queue, started } = slowQueue();
    const [a, b, c] = [deferred(), deferred(), deferred()];
    for (const task of [a, b, c]) queue.push(task);
    expect(started).toEqual([a]);
    a.resolve();
    await settled();
    expect(started).toEqual([a, b]);
    b.resolve();
    await settled();
    expect(started).toEqual([a, b, c]);
  });

  test("a task pushed by a running task runs after it, not inside it", () => {
    const events: string[] = [];
    const queue: SerialQueue<string> = new SerialQueue<string>(
      (task) => {
        events.push(`${task} begins`);
        if (task === "outer") queue.push("inner");
        events.push(`${task} ends`);
      },
      () => {},
    );
    queue.push("outer");
    expect(events).toEqual(["outer begins", "outer ends", "inner begins", "inner ends"]);
  });

  test("goes on with synchronous tasks after a slow one", async () => {
    const slow = deferred();
    const ran: string[] = [];
    const queue = new SerialQueue<string>(
      (task) => {
        ran.push(task);
        return task === "slow" ? slow.promise : undefined;
      },
      () => {},
    );
    for (const task of ["slow", "b", "c"]) queue.push(task);
    expect(ran).toEqual(["slow"]);
    slow.resolve();
    await settled();
    expect(ran).toEqual(["slow", "b", "c"]);
  });

  test("a task that throws is reported once, and nothing runs after it", () => {
    const ran: number[] = [];
    const errors: unknown[] = [];
    const failure = new Error("no");
    const queue = new SerialQueue<number>(
      (task) => {
        ran.push(task);
        if (task === 2) throw failure;
      },
      (error) => errors.push(error),
    );
    for (const task of [1, 2, 3]) queue.push(task);
    expect(ran).toEqual([1, 2]);
    expect(errors).toEqual([failure]);
  });

  test("a task whose promise rejects is reported once, and what waits behind it never runs", async () => {
    const { queue, started, errors } = slowQueue();
    const [a, b] = [deferred(), deferred()];
    queue.push(a);
    queue.push(b);
    const failure = new Error("later");
    a.reject(failure);
    await settled();
    queue.push(deferred());
    expect(started).toEqual([a]);
    expect(errors).toEqual([failure]);
  });

  test("close waits for the running task, drops the rest and takes no more", async () => {
    const { queue, started } = slowQueue();
    const [running, waiting] = [deferred(), deferred()];
    queue.push(running);
    queue.push(waiting);
    const closed = outcomeOf(queue.close());
    queue.push(deferred());
    await settled();
    expect(closed.values).toHaveLength(0);
    running.resolve();
    await settled();
    expect(closed.values).toHaveLength(1);
    expect(started).toEqual([running]);
  });

  test("close waits for a running task that fails, too", async () => {
    const { queue, errors } = slowQueue();
    const running = deferred();
    queue.push(running);
    const closed = outcomeOf(queue.close());
    running.reject(new Error("late"));
    await settled();
    expect(closed.values).toHaveLength(1);
    expect(errors).toHaveLength(1);
  });

  test("everybody who closes it is told, however often it is closed", async () => {
    const { queue } = slowQueue();
    const running = deferred();
    queue.push(running);
    const first = outcomeOf(queue.close());
    const second = outcomeOf(queue.close());
    running.resolve();
    await settled();
    expect([first.values.length, second.values.length]).toEqual([1, 1]);
    await queue.close();
  });

  test("shows and replaces the newest task that has not started, never the running one", async () => {
    const { queue, started } = slowQueue();
    const [a, b, c] = [deferred(), deferred(), deferred()];
    queue.push(a);
    expect(queue.newest).toBeUndefined();
    queue.push(b);
    expect(queue.newest).toBe(b);
    queue.replaceNewest(c);
    a.resolve();
    await settled();
    expect(started).toEqual([a, c]);
  });
});
