import { describe, expect, test } from "vitest";
import type { StartOptions, TestEngine } from "../../test/engine-harness.js";
import { TestEngine as Engine, id, only, the } from "../../test/engine-harness.js";

/** A node that has applied ten entries. */
function applied(options: StartOptions = {}): TestEngine {
  return new Engine({ terms: Array<number>(10).fill(1), committed: 10, applied: 10, ...options });
}

function request(node: TestEngine, requestId: number) {
  return node.step({ type: "takeSnapshot", requestId });
}

function built(node: TestEngine, index: number) {
  return node.step({ type: "snapshotBuilt", lastLogId: id(1, index) });
}

describe("the policy", () => {
  function withPolicy(snapshotAfterEntries: number | null): TestEngine {
    const node = new Engine({
      terms: Array<number>(10).fill(1),
      committed: 10,
      config: { snapshotAfterEntries },
    });
    node.engine.resume();
    return node;
  }

  test("asks for a snapshot once so many entries were applied since the last", () => {
    const node = withPolicy(4);
    expect(node.step({ type: "applied", logId: id(1, 3) })).toEqual([]);
    expect(node.step({ type: "applied", logId: id(1, 4) })).toEqual([{ type: "buildSnapshot" }]);
  });

  test("builds one at a time, and the next when it is due by then", () => {
    const node = withPolicy(4);
    node.step({ type: "applied", logId: id(1, 4) });
    expect(node.step({ type: "applied", logId: id(1, 9) })).toEqual([]);
    expect(only(built(node, 4), "buildSnapshot")).toHaveLength(1);
    expect(only(built(node, 9), "buildSnapshot")).toEqual([]);
  });

  test("asks for none where it says never", () => {
    const node = withPolicy(null);
    expect(node.step({ type: "applied", logId: id(1, 10) })).toEqual([]);
  });
});

describe("a snapshot by request", () => {
  test("is built, and the request answered when it is kept", () => {
    const node = applied();
    expect(request(node, 5)).toEqual([{ type: "buildSnapshot" }]);
    expect(built(node, 10)).toContainEqual({ type: "snapshotReady", requestId: 5 });
  });

  test("is there already when it covers all that is applied", () => {
    const node = applied({ snapshot: 10 });
    expect(request(node, 5)).toEqual([{ type: "snapshotReady", requestId: 5 }]);
  });

  test("of a node that has applied nothing is there already: nothing", () => {
    expect(request(new Engine(), 5)).toEqual([{ type: "snapshotReady", requestId: 5 }]);
  });

  test("during a build of an older state waits for the next", () => {
    const node = new Engine({ terms: Array<number>(10).fill(1), committed: 10 });
    node.engine.resume();
    node.step({ type: "applied", logId: id(1, 4) });
    expect(request(node, 5)).toEqual([{ type: "buildSnapshot" }]);
    node.step({ type: "applied", logId: id(1, 10) });
    expect(request(node, 6)).toEqual([]);
    const out = built(node, 4);
    expect(only(out, "snapshotReady").map(({ requestId }) => requestId)).toEqual([5]);
    expect(only(out, "buildSnapshot")).toHaveLength(1);
    expect(the(built(node, 10), "snapshotReady").requestId).toBe(6);
  });
});

describe("the log behind a snapshot", () => {
  test("is purged but for what is kept for followers that are a little late", () => {
    const node = applied({ config: { logsToKeep: 3 } });
    request(node, 1);
    expect(the(built(node, 10), "purge")).toMatchObject({ upto: id(1, 7) });
    expect(node.state.log.purged).toEqual(id(1, 7));
  });

  test("is whole when it is shorter than that", () => {
    const node = applied({ config: { logsToKeep: 10 } });
    request(node, 1);
    expect(only(built(node, 10), "purge")).toEqual([]);
  });

  test("may be purged by hand, never past what the snapshot holds", () => {
    const node = applied({ snapshot: 6 });
    expect(the(node.step({ type: "purgeLog", upto: 4 }), "purge").upto).toEqual(id(1, 4));
    expect(the(node.step({ type: "purgeLog", upto: 99 }), "purge").upto).toEqual(id(1, 6));
    expect(node.step({ type: "purgeLog", upto: 5 })).toEqual([]);
  });

  test("without a snapshot stays", () => {
    expect(applied().step({ type: "purgeLog", upto: 5 })).toEqual([]);
  });
});

describe("a snapshot that no apply lane can have built is a bug", () => {
  test("older than the last one", () => {
    expect(() => built(applied({ snapshot: 6 }), 5)).toThrow("built a snapshot at 5, not between 6 and 10");
  });

  test("of what is not applied", () => {
    const node = new Engine({ terms: Array<number>(10).fill(1), committed: 10, applied: 7 });
    expect(() => built(node, 8)).toThrow("built a snapshot at 8, not between 0 and 7");
  });
});
