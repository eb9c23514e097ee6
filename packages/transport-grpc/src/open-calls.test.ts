import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OpenCalls } from "./open-calls.js";

let expired: string[];
let calls: OpenCalls<string>;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["performance", "setTimeout", "clearTimeout", "setImmediate", "clearImmediate"],
  });
  expired = [];
  calls = new OpenCalls<string>((id, value) => expired.push(`${id} ${value}`));
});

afterEach(() => {
  vi.useRealTimers();
});

test("each is told when its own time is over, in whatever order they were added", () => {
  calls.add(1, 300, "late");
  calls.add(2, 100, "early");
  calls.add(3, 200, "between");
  vi.advanceTimersByTime(99);
  expect(expired).toEqual([]);
  // The clock of the test moves on by one while it lets sockets have their turn.
  vi.advanceTimersByTime(2);
  expect(expired).toEqual(["2 early"]);
  vi.advanceTimersByTime(100);
  expect(expired).toEqual(["2 early", "3 between"]);
  vi.advanceTimersByTime(100);
  expect(expired).toEqual(["2 early", "3 between", "1 late"]);
  expect(calls.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("what was taken is not told, and those after it are", () => {
  calls.add(1, 100, "taken");
  calls.add(2, 100, "left");
  expect(calls.take(1)).toBe("taken");
  expect(calls.take(1)).toBeUndefined();
  expect([calls.has(1), calls.get(2)]).toEqual([false, "left"]);
  vi.advanceTimersByTime(101);
  expect(expired).toEqual(["2 left"]);
});

test("what has come by then is read first, when the process stood still", () => {
  calls.add(1, 100, "answered");
  calls.add(2, 100, "silent");
  // As a socket does, it has its turn after that timer, and before the immediates.
  setTimeout(() => calls.take(1), 100);
  vi.advanceTimersByTime(5000);
  expect(expired).toEqual(["2 silent"]);
});

test("none is told that is taken with all others in that turn", () => {
  calls.add(1, 100, "x");
  setTimeout(() => calls.takeAll(), 100);
  vi.advanceTimersByTime(5000);
  expect([expired, vi.getTimerCount()]).toEqual([[], 0]);
});

test("one timer serves all, and none is left when all are taken", () => {
  for (let id = 0; id < 100; id++) calls.add(id, 100 + id, "x");
  expect(vi.getTimerCount()).toBe(1);
  expect(calls.takeAll()).toHaveLength(100);
  expect(vi.getTimerCount()).toBe(0);
  calls.add(1, 50, "again");
  vi.advanceTimersByTime(51);
  expect(expired).toEqual(["1 again"]);
});

test("what is told may take others out, and add some", () => {
  const all = new OpenCalls<string>((id, value) => {
    expired.push(`${id} ${value}`);
    if (id === 1) all.take(2);
    if (id === 1) all.add(3, 10, "added");
  });
  all.add(1, 100, "first");
  all.add(2, 100, "second");
  vi.advanceTimersByTime(112);
  expect(expired).toEqual(["1 first", "3 added"]);
});

test("numbers go up to 2^32 - 1 and begin again, and none is given while it is in use", () => {
  const near = new OpenCalls<string>(() => {}, 2 ** 32 - 3);
  const given: number[] = [];
  for (let i = 0; i < 6; i++) {
    const id = near.nextId();
    expect(near.nextId()).toBe(id);
    near.add(id, 1000, "x");
    given.push(id);
    if (i % 2 === 0) near.take(id);
  }
  expect(given).toEqual([2 ** 32 - 2, 2 ** 32 - 1, 1, 2, 3, 4]);
  const wrapped = new OpenCalls<string>(() => {}, 0);
  wrapped.add(1, 1000, "waits");
  wrapped.add(2 ** 32 - 1, 1000, "waits");
  expect(wrapped.nextId()).toBe(2);
});
