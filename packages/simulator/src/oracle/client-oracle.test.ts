import { beforeEach, describe, expect, test } from "vitest";
import type { SimCommand, SimReply } from "../workload/sim-machine.js";
import type { SimInput, SimOutput, SimValue } from "../workload/sim-model.js";
import { simModel } from "../workload/sim-model.js";
import { ClientOracle } from "./client-oracle.js";

let oracle: ClientOracle<SimValue, SimInput, SimOutput>;

beforeEach(() => {
  oracle = new ClientOracle({
    model: simModel,
    attemptOf: (command) => (command as SimCommand).attempt ?? null,
    outputOf: (response) => response as SimReply,
  });
});

const set = (attempt: number, value: string): SimCommand => ({ op: "set", key: "k", value, attempt });
const add = (attempt: number, by: number): SimCommand => ({ op: "add", key: "k", by, attempt });
/** A client begins to set the key to `value`. */
const begin = (value = "a"): number => oracle.begins({ op: "set", key: "k", value });
const beginAdd = (by: number): number => oracle.begins({ op: "add", key: "k", by });
const get = { op: "get", key: "k" } as const;

/** A write that is applied at `index` and acknowledged. */
function written(index: number, value: string): number {
  const attempt = begin(value);
  oracle.applied(index, set(attempt, value), null);
  oracle.acknowledged(attempt, index);
  return attempt;
}

const read = (value: SimOutput, servedAt = 0): void => oracle.read(oracle.reads(get), get, value, servedAt);

describe("the oracle of the clients objects", () => {
  test("C1: when a read sees what nobody wrote, or a command is applied that nobody asked for", () => {
    written(1, "a");
    expect(() => read("b")).toThrow(/^C1 no phantoms: a read of k saw "b", which nobody wrote/);
    expect(() => oracle.applied(2, { op: "set", key: "k", value: "c" }, null)).toThrow(/^C1 /);
    expect(() => oracle.applied(3, set(77, "c"), null)).toThrow(/^C1 /);
  });

  test("C2: when one write is applied at two indexes", () => {
    const attempt = written(1, "a");
    expect(() => oracle.applied(4, set(attempt, "a"), null)).toThrow(
      "C2 one write, one log id: attempt 0 was applied at 1, and again at 4",
    );
  });

  test("C3: when a write is acknowledged that is not in the log, or only after where the answer says", () => {
    const attempt = begin();
    expect(() => oracle.acknowledged(attempt, 3)).toThrow(/^C3 .* was not applied$/);
    oracle.applied(4, set(attempt, "a"), null);
    expect(() => oracle.acknowledged(attempt, 3)).toThrow(/^C3 .* was applied at 4$/);
  });

  test("C3: when a member does not hold, at rest, what the last write left", () => {
    written(1, "a");
    written(2, "b");
    expect(() => oracle.holds(2, get, "a")).toThrow(
      /^C3 .*node 2 holds "a" under k, and the last write, at 2/,
    );
    expect(() => oracle.holds(2, get, null)).toThrow(/^C3 /);
    oracle.holds(2, get, "b");
  });

  test("C4: when a read that began after an acknowledged write does not see it", () => {
    written(1, "a");
    written(2, "b");
    expect(() => read("a")).toThrow(/^C4 read your writes: .* 2 was acknowledged before/);
  });

  test("C5: when a read sees less than one that ended before it began", () => {
    written(1, "a");
    const unacknowledged = begin("b");
    oracle.applied(2, set(unacknowledged, "b"), null);
    read("b");
    expect(() => read("a")).toThrow(/^C5 monotonic reads: .* 2 was read before/);
  });

  test("C6: when an answer is not what the newest write below gives", () => {
    oracle.applied(1, add(beginAdd(2), 2), 2);
    expect(() => oracle.applied(2, add(beginAdd(3), 3), 3)).toThrow(/^C6 .* answers 3, over 2$/);
  });

  test("C7: when an older write comes up after nothing was seen at a barrier", () => {
    read(null, 5);
    expect(() => oracle.applied(4, set(begin(), "a"), null)).toThrow(/^C7 /);
  });

  test("C9: when a refused write is done all the same, before or after it was refused", () => {
    const before = begin();
    oracle.applied(1, set(before, "a"), null);
    expect(() => oracle.refused(before)).toThrow(/^C9 refused means not done: attempt 0 /);
    const after = begin("b");
    oracle.refused(after);
    expect(() => oracle.applied(2, set(after, "b"), null)).toThrow(/^C9 /);
  });
});

describe("the oracle of the clients lets pass", () => {
  test("a read that sees an unanswered write, and one beside it that does not", () => {
    written(1, "a");
    const [early, late] = [oracle.reads(get), oracle.reads(get)];
    oracle.applied(2, set(begin("b"), "b"), null);
    oracle.read(late, get, "b", 2);
    expect(() => oracle.read(early, get, "a", 1)).not.toThrow();
  });

  test("a value that is written again, and a read that saw it the second time", () => {
    written(1, "a");
    written(2, "b");
    written(3, "a");
    expect(() => read("a")).not.toThrow();
  });

  test("the same command on every node, a write after nothing was seen, and a refused write that stays away", () => {
    read(null, 3);
    const attempt = begin();
    for (let node = 0; node < 3; node += 1) oracle.applied(4, set(attempt, "a"), null as SimReply);
    oracle.refused(begin());
    expect(() => read("a")).not.toThrow();
  });

  test("a write that was sent twice and answered at the second entry, having been applied at the first", () => {
    const attempt = begin();
    oracle.applied(1, set(attempt, "a"), null);
    oracle.acknowledged(attempt, 2);
    expect(() => read("a")).not.toThrow();
  });
});
