import { describe, expect, test } from "vitest";
import { DurabilityGate } from "./durability-gate.js";

function setUp(): { gate: DurabilityGate; done: string[]; note: (what: string) => () => void } {
  const done: string[] = [];
  return { gate: new DurabilityGate(), done, note: (what) => () => void done.push(what) };
}

describe("the durability gate", () => {
  test("lets through at once what speaks of no write, or of durable ones", () => {
    const { gate, done, note } = setUp();
    gate.after(0, note("nothing written"));
    gate.advance(3);
    gate.after(3, note("write 3"));
    expect(done).toEqual(["nothing written", "write 3"]);
  });

  test("holds back what speaks of a write that is not durable, until it is", () => {
    const { gate, done, note } = setUp();
    gate.after(2, note("write 2"));
    expect(done).toEqual([]);
    gate.advance(1);
    expect(done).toEqual([]);
    gate.advance(2);
    expect(done).toEqual(["write 2"]);
  });

  test("lets everything go that an advance covers, in order, and each once", () => {
    const { gate, done, note } = setUp();
    gate.after(1, note("a"));
    gate.after(1, note("b"));
    gate.after(2, note("c"));
    gate.after(4, note("d"));
    gate.advance(3);
    expect(done).toEqual(["a", "b", "c"]);
    gate.advance(4);
    gate.advance(5);
    expect(done).toEqual(["a", "b", "c", "d"]);
  });

  test("an action that comes during an advance runs when its own write is durable", () => {
    const { gate, done, note } = setUp();
    gate.after(1, () => {
      gate.after(2, note("durable with it"));
      gate.after(3, note("not yet"));
    });
    gate.advance(2);
    expect(done).toEqual(["durable with it"]);
    gate.advance(3);
    expect(done).toEqual(["durable with it", "not yet"]);
  });
});
