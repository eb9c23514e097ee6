import { describe, expect, test } from "vitest";
import type { StartOptions, TestEngine } from "../../test/engine-harness.js";
import {
  TestEngine as Engine,
  elected,
  flow,
  id,
  memberships,
  only,
  the,
} from "../../test/engine-harness.js";
import type { Command, SendAppendEntriesCommand } from "./command.js";

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
      switches: { snapshotAfterEntries },
    });
    node.engine.resume();
    return node;
  }

  test("asks for a snapshot once so many entries were applied since the last", () => {
    const node = withPolicy(4);
    expect(node.applied(id(1, 3))).toEqual([]);
    expect(node.applied(id(1, 4))).toEqual([{ type: "buildSnapshot" }]);
  });

  test("builds one at a time, and the next when it is due by then", () => {
    const node = withPolicy(4);
    node.applied(id(1, 4));
    expect(node.applied(id(1, 9))).toEqual([]);
    expect(only(built(node, 4), "buildSnapshot")).toHaveLength(1);
    expect(only(built(node, 9), "buildSnapshot")).toEqual([]);
  });

  test("asks for none where it says never", () => {
    const node = withPolicy(null);
    expect(node.applied(id(1, 10))).toEqual([]);
  });
});

describe("the policy by bytes", () => {
  function withPolicy(snapshotAfterBytes: number | null): TestEngine {
    const node = new Engine({
      terms: Array<number>(10).fill(1),
      committed: 10,
      switches: { snapshotAfterBytes },
    });
    node.engine.resume();
    return node;
  }

  test("asks for a snapshot once commands of so many bytes were applied since the last", () => {
    const node = withPolicy(100);
    expect(node.applied(id(1, 3), 60)).toEqual([]);
    expect(node.applied(id(1, 4), 39)).toEqual([]);
    expect(node.applied(id(1, 5), 1)).toEqual([{ type: "buildSnapshot" }]);
  });

  test("counts anew from when a build began: what was applied during it is not in it", () => {
    const node = withPolicy(100);
    node.applied(id(1, 3), 100);
    node.applied(id(1, 4), 99);
    expect(only(built(node, 3), "buildSnapshot")).toEqual([]);
    expect(node.applied(id(1, 5), 1)).toEqual([{ type: "buildSnapshot" }]);
  });

  test("asks for none where it says never, and for none of nothing", () => {
    expect(withPolicy(null).applied(id(1, 10), 1e9)).toEqual([]);
    expect(new Engine().configure({ snapshotAfterBytes: 0 })).toEqual([]);
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
    node.applied(id(1, 4));
    expect(request(node, 5)).toEqual([{ type: "buildSnapshot" }]);
    node.applied(id(1, 10));
    expect(request(node, 6)).toEqual([]);
    const out = built(node, 4);
    expect(only(out, "snapshotReady").map(({ requestId }) => requestId)).toEqual([5]);
    expect(only(out, "buildSnapshot")).toHaveLength(1);
    expect(the(built(node, 10), "snapshotReady").requestId).toBe(6);
  });
});

test("a snapshot that was built while a newer one came changes nothing, and the next may be built", () => {
  const node = applied({ snapshot: 6 });
  request(node, 5);
  expect(built(node, 5)).toEqual([{ type: "buildSnapshot" }]);
  expect(node.state.snapshot).toMatchObject({ lastLogId: id(1, 6), requests: [{ requestId: 5, index: 10 }] });
  expect(node.state.log.purged).toEqual(id(0, 0));
  expect(built(node, 10)).toContainEqual({ type: "snapshotReady", requestId: 5 });
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
  test("of what is not applied", () => {
    const node = new Engine({ terms: Array<number>(10).fill(1), committed: 10, applied: 7 });
    expect(() => built(node, 8)).toThrow("built a snapshot at 8, beyond 7");
  });
});

describe("followers that need what is to be purged", () => {
  /** Node 1 leads 2, 3 and learner 4, all with two entries; then six more that only 2 has, and a snapshot of all. */
  function behind(options: StartOptions = {}): { node: TestEngine; out: Command[] } {
    const node = elected({
      membership: memberships([[1, 2, 3]], 4),
      ...options,
      config: { maxPayloadEntries: 100, logsToKeepForFollowers: 100, ...options.config },
    });
    flow(node, node.write("a"));
    flow(node, node.write("b", "c", "d", "e", "f", "g"), (peer) => peer === 2);
    request(node, 1);
    return { node, out: built(node, 8) };
  }

  test("are waited for as long as they answer, learners too", () => {
    const { node, out } = behind();
    expect(only(out, "purge")).toEqual([]);
    expect(node.state.snapshot.purgeUpto).toBe(8);
    flow(node, node.pass(50), (peer) => peer === 2);
    node.accept(lastTo(node, 3));
    expect(
      only(
        flow(node, node.write("h"), (peer) => peer !== 4),
        "purge",
      ),
    ).toEqual([]);
  });

  test("have it purged behind them as soon as they need it no more", () => {
    const { node } = behind();
    for (const peer of [3, 4]) node.accept(lastTo(node, peer));
    flow(node, node.write("h"));
    expect(node.state.log.purged).toEqual(id(1, 8));
  });

  test("are waited for within a bound", () => {
    const { node, out } = behind({ config: { logsToKeepForFollowers: 2 } });
    expect(only(out, "purge")).toEqual([]);
    expect(node.state.log.purged.index).toBe(0);
    for (let i = 0; i < 1030; i++) flow(node, node.write("x"), (peer) => peer === 2);
    node.accept(lastTo(node, 3));
    request(node, 2);
    expect(the(built(node, 1038), "purge").upto).toEqual(id(1, 1036));
  });

  test("are not waited for where none are to be, nor when they do not answer any more", () => {
    const { out } = behind({ config: { logsToKeepForFollowers: 0 } });
    expect(the(out, "purge").upto).toEqual(id(1, 8));
    const { node } = behind();
    for (let waited = 0; waited < 300; waited += 50) flow(node, node.pass(50), (peer) => peer === 2);
    flow(node, node.write("h"), (peer) => peer === 2);
    expect(node.state.log.purged).toEqual(id(1, 8));
  });

  test("that are sent a snapshot need what comes after it, answering or not", () => {
    const { node } = behind();
    node.step({ type: "purgeLog", upto: 8 });
    for (const peer of [3, 4]) node.fail(lastTo(node, peer));
    flow(node, node.pass(50), (peer) => peer === 2);
    expect(node.progress(3)).toMatchObject({ mode: "snapshot", snapshotIndex: 8 });
    flow(node, node.write("h", "i"), (peer) => peer === 2);
    for (let waited = 0; waited < 400; waited += 50) flow(node, node.pass(50), (peer) => peer === 2);
    request(node, 2);
    expect(only(built(node, 10), "purge")).toEqual([]);
  });

  test("count for a leader only: who follows purges what its snapshot stands for", () => {
    const node = applied({ config: { logsToKeepForFollowers: 100 } });
    request(node, 1);
    expect(the(built(node, 10), "purge").upto).toEqual(id(1, 10));
  });

  test("do not hold up who purges by hand", () => {
    const { node } = behind();
    expect(the(node.step({ type: "purgeLog", upto: 8 }), "purge").upto).toEqual(id(1, 8));
  });

  test("have the log purged in large steps as they catch up, not entry by entry", () => {
    const node = elected({
      membership: memberships([[1, 2]], 3),
      config: { maxPayloadEntries: 2000, logsToKeepForFollowers: 10_000, maxUncommittedEntries: 10_000 },
    });
    const data = Array.from({ length: 3000 }, (_, i) => `${i}`);
    const out = node.write(...data);
    flow(node, out, (peer) => peer === 2);
    request(node, 1);
    expect(only(built(node, 3001), "purge")).toEqual([]);
    const purged = [500, 1023, 1024, 1025, 2047, 2048].map((matchIndex) => {
      node.progress(3).matchIndex = matchIndex;
      flow(node, node.write("x"), (peer) => peer === 2);
      return node.state.log.purged.index;
    });
    expect(purged).toEqual([0, 0, 1024, 1024, 1024, 2048]);
  });
});

/** The newest request to a follower that has no answer. */
function lastTo(node: TestEngine, to: number): SendAppendEntriesCommand {
  const request = node.progress(to).inFlight.at(-1);
  if (request === undefined) throw new Error(`nothing is on its way to ${to}`);
  const { seq, prevIndex, upto } = request;
  const { term } = node.state.vote;
  return {
    type: "sendAppendEntries",
    to,
    seq,
    term,
    prevLogId: node.state.log.at(Math.max(prevIndex, node.state.log.purged.index)),
    upto,
    leaderCommit: 0,
  };
}
