import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { checkLinearizability } from "./check-linearizability.js";
import { HistoryRecorder } from "./history-recorder.js";
import { counterModel } from "./models/counter.js";
import type { CounterInput, CounterOutput } from "./models/counter.js";

const add: CounterInput = { f: "addAndGet", by: 1 };

describe("a recorder", () => {
  test("gives every event a moment of its own, and takes what is open for unknown", () => {
    const recorder = new HistoryRecorder<CounterInput, CounterOutput>();
    const first = recorder.invoke("a", add);
    const second = recorder.invoke("b", add);
    second.ok(1);
    first.unknown();
    recorder.invoke("c", add).fail();
    recorder.invoke("d", add);
    expect(recorder.size).toBe(4);
    expect(recorder.history()).toEqual([
      { client: "a", input: add, call: 1, status: "unknown", ret: 4 },
      { client: "b", input: add, call: 2, status: "ok", output: 1, ret: 3 },
      { client: "c", input: add, call: 5, status: "fail", ret: 6 },
      { client: "d", input: add, call: 7, status: "unknown", ret: null },
    ]);
    expect(checkLinearizability(recorder.history(), counterModel()).verdict).toBe("ok");
  });

  test("what it returned does not change with what happens later", () => {
    const recorder = new HistoryRecorder<CounterInput, CounterOutput>();
    const open = recorder.invoke(1, add);
    const before = recorder.history();
    open.ok(1);
    expect(before).toMatchObject([{ status: "unknown", ret: null }]);
  });

  test("takes the time from the clock it is given, which must not go back", () => {
    const times = [10, 10, 12, 11];
    const recorder = new HistoryRecorder<CounterInput, CounterOutput>({ now: () => times.shift() ?? NaN });
    recorder.invoke(1, add).ok(1);
    expect(recorder.history()).toMatchObject([{ call: 10, ret: 10 }]);
    const open = recorder.invoke(1, add);
    expect(() => open.ok(2)).toThrow("options.now()");
    expect(() => recorder.invoke(2, add)).toThrow(InvalidValueError);
    expect(recorder.history()).toMatchObject([{ status: "ok" }, { status: "unknown", ret: null }]);
  });

  test("an operation has one outcome", () => {
    const recorder = new HistoryRecorder<CounterInput, CounterOutput>();
    const open = recorder.invoke(1, add);
    open.fail();
    expect(() => open.ok(1)).toThrow("operations[0]");
    expect(recorder.history()).toMatchObject([{ status: "fail" }]);
  });

  test("records no more than it may", () => {
    const recorder = new HistoryRecorder<CounterInput, CounterOutput>({ maxOperations: 1 });
    recorder.invoke(1, add);
    expect(() => recorder.invoke(2, add)).toThrow("at most maxOperations, 1");
    expect(() => new HistoryRecorder({ maxOperations: 0 })).toThrow("options.maxOperations");
  });
});
