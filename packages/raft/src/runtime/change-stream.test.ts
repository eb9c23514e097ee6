import { describe, expect, test } from "vitest";
import { outcomeOf, rejection, settled } from "../../test/support/promises.js";
import { ChangeStream } from "./change-stream.js";

/** A value that can be set, and who watches it. */
class Cell {
  value = 1;
  over = false;
  watchers = new Set<() => void>();
  reads = 0;

  set(value: number): void {
    this.value = value;
    this.tell();
  }

  tell(): void {
    for (const watcher of this.watchers) watcher();
  }

  stream(isSame: (a: number, b: number) => boolean = Object.is): ChangeStream<number> {
    return new ChangeStream({
      read: () => {
        this.reads += 1;
        if (this.value < 0) throw new Error("broken");
        return this.value;
      },
      isSame,
      watch: (watcher) => {
        this.watchers.add(watcher);
        return () => this.watchers.delete(watcher);
      },
      isOver: () => this.over,
    });
  }
}

const DONE = { done: true, value: undefined };

describe("a stream of changes", () => {
  test("has the value now, and then only others: what comes between two reads is left out", async () => {
    const cell = new Cell();
    const stream = cell.stream();
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    for (const value of [2, 3, 4]) cell.set(value);
    expect(await stream.next()).toEqual({ done: false, value: 4 });
    const waiting = outcomeOf(stream.next());
    cell.tell();
    cell.set(4);
    await settled();
    expect(waiting.values).toEqual([]);
    cell.set(5);
    await settled();
    expect(waiting.values).toEqual([{ done: false, value: 5 }]);
  });

  test("is compared as its reader says", async () => {
    const cell = new Cell();
    const stream = cell.stream((a, b) => a % 2 === b % 2);
    await stream.next();
    const waiting = outcomeOf(stream.next());
    cell.set(3);
    await settled();
    expect(waiting.values).toEqual([]);
    cell.set(6);
    await settled();
    expect(waiting.values).toEqual([{ done: false, value: 6 }]);
  });

  test("watches only while a reader waits: a stream that is dropped leaves nothing behind", async () => {
    const cell = new Cell();
    const stream = cell.stream();
    expect(cell.watchers.size).toBe(0);
    await stream.next();
    expect(cell.watchers.size).toBe(0);
    const two = [outcomeOf(stream.next()), outcomeOf(stream.next())];
    expect(cell.watchers.size).toBe(1);
    cell.set(2);
    await settled();
    expect(two.map(({ values }) => values.length)).toEqual([1, 0]);
    expect(cell.watchers.size).toBe(1);
    cell.set(3);
    await settled();
    expect(two[1]?.values).toEqual([{ done: false, value: 3 }]);
    expect(cell.watchers.size).toBe(0);
  });

  test.each(["return", "asyncDispose", "throw"] as const)(
    "ends at once by %s, also for whoever waits",
    async (how) => {
      const cell = new Cell();
      const stream = cell.stream();
      await stream.next();
      const waiting = outcomeOf(stream.next());
      if (how === "return") expect(await stream.return()).toEqual(DONE);
      else if (how === "throw")
        expect(await rejection(stream.throw(new Error("mine")))).toMatchObject({ message: "mine" });
      else await stream[Symbol.asyncDispose]();
      await settled();
      expect(waiting.values).toEqual([DONE]);
      expect(cell.watchers.size).toBe(0);
      cell.set(9);
      expect(await stream.next()).toEqual(DONE);
    },
  );

  test("ends with its source, after the last value", async () => {
    const cell = new Cell();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const value of cell.stream()) seen.push(value);
    })();
    await settled();
    cell.over = true;
    cell.set(7);
    await reading;
    expect(seen).toEqual([1, 7]);
    expect(cell.watchers.size).toBe(0);
  });

  test("a loop that breaks ends it", async () => {
    const cell = new Cell();
    const stream = cell.stream();
    for await (const value of stream) if (value === 1) break;
    expect(await stream.next()).toEqual(DONE);
  });

  test("what reading throws goes to the reader and ends it", async () => {
    const cell = new Cell();
    const stream = cell.stream();
    await stream.next();
    const waiting = [outcomeOf(stream.next()), outcomeOf(stream.next())];
    cell.set(-1);
    await settled();
    expect(waiting[0]?.errors).toMatchObject([{ message: "broken" }]);
    expect(waiting[1]?.values).toEqual([DONE]);
    expect(cell.watchers.size).toBe(0);
    const { reads } = cell;
    expect(await stream.next()).toEqual(DONE);
    expect(cell.reads).toBe(reads);
  });
});
