import { describe, expect, test } from "vitest";
import {
  TestEngine,
  elected,
  entries,
  id,
  members,
  membershipEntry,
  memberships,
  newNode,
  only,
  snapshotMeta,
  the,
  voters,
} from "../../test/engine-harness.js";

/** A snapshot up to 3-9, of voters 1 to 4. */
const META = snapshotMeta(id(3, 9), voters(1, 2, 3, 4), id(2, 4));

describe("a part of a snapshot", () => {
  test("of the leader is taken, and the answer waits for the term that it brought", () => {
    const node = new TestEngine({ terms: [1], vote: { term: 1 } });
    const out = node.installSnapshot(3, META);
    expect(out).toEqual([
      { type: "saveVote", ioSeq: 1, vote: { term: 3, votedFor: 2, committed: true } },
      { type: "receiveSnapshot", rpcId: 1, term: 3, afterIo: 1 },
    ]);
    expect(node.state.role).toEqual({ type: "follower", leaderId: 2 });
    expect(node.engine.nextDeadline()).toBe(node.now + 225);
  });

  test("of an earlier term, or of another than the leader of this one, is refused", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    expect(the(node.installSnapshot(2, META), "answerInstallSnapshot").response).toEqual({
      type: "refused",
      term: 3,
    });
    node.append({ term: 3, leaderId: 2, prevLogId: id(0, 0) });
    expect(the(node.installSnapshot(3, META, 3), "answerInstallSnapshot").response.type).toBe("refused");
    expect(node.state.role).toEqual({ type: "follower", leaderId: 2 });
  });

  test("of what is committed here is not needed: it is said once all of that is durable", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    node.append({ term: 3, prevLogId: id(0, 0), entries: entries(1, 1, 1, 3), leaderCommit: 3 });
    const out = node.installSnapshot(3, snapshotMeta(id(3, 3)));
    expect(out).toEqual([
      {
        type: "answerInstallSnapshot",
        rpcId: 2,
        response: { type: "installed", term: 3 },
        afterIo: node.state.io.issued,
      },
    ]);
    expect(only(node.installSnapshot(3, snapshotMeta(id(3, 4))), "receiveSnapshot")).toHaveLength(1);
  });
});

describe("a whole snapshot", () => {
  test("is installed, and nothing is applied or built until it is", () => {
    const node = new TestEngine({ terms: [1, 1, 1], vote: { term: 3 }, committed: 2 });
    node.engine.resume();
    expect(node.snapshotReceived(META)).toEqual([{ type: "installSnapshot", meta: META, afterIo: 0 }]);
    node.applied(id(1, 2));
    const out = [
      ...node.append({ term: 3, prevLogId: id(1, 3), leaderCommit: 3 }),
      ...node.step({ type: "takeSnapshot", requestId: 5 }),
      ...node.persist(),
    ];
    expect(node.state.committed.index).toBe(3);
    expect(only(out, "apply")).toEqual([]);
    expect(only(out, "buildSnapshot")).toEqual([]);
  });

  test("of a later term waits until that term is durable: a restart must never find the one without the other", () => {
    const node = newNode();
    const out = node.snapshotReceived(META, 7);
    const saved = the(out, "saveVote");
    expect(saved.vote).toEqual({ term: 3, votedFor: null, committed: false });
    expect(the(out, "installSnapshot").afterIo).toBe(saved.ioSeq);
  });

  test("that ends at or before what is committed is dropped, and who brought it is told why", () => {
    const node = new TestEngine({ terms: [1, 1, 1, 3, 3], committed: 4, vote: { term: 3 } });
    for (const lastLogId of [id(1, 3), id(3, 4)]) {
      expect(node.snapshotReceived(snapshotMeta(lastLogId))).toEqual([{ type: "dropSnapshot" }]);
      expect(node.snapshotReceived(snapshotMeta(lastLogId), 7)).toEqual([
        { type: "dropSnapshot" },
        {
          type: "reply",
          requestId: 7,
          refusal: { code: "snapshotOutdated", snapshot: lastLogId, committed: id(3, 4) },
          afterIo: 0,
        },
      ]);
    }
    expect(node.state.snapshot.installing).toBeNull();
  });

  test("that contradicts what is committed is dropped: an entry of an earlier term cannot come after it", () => {
    const node = new TestEngine({ terms: [1, 1, 1, 3], committed: 4, vote: { term: 3 } });
    expect(node.snapshotReceived(snapshotMeta(id(2, 9)))).toEqual([{ type: "dropSnapshot" }]);
  });

  test("that comes while another is installed is dropped", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    node.snapshotReceived(META);
    expect(node.snapshotReceived(snapshotMeta(id(3, 12)))).toEqual([{ type: "dropSnapshot" }]);
    expect(node.state.snapshot.installing).toBe(META);
  });

  test("by hand ends a leadership and a candidacy: the log may be replaced", () => {
    const leader = elected();
    leader.write("a");
    const out = leader.snapshotReceived(META, 7);
    expect(leader.role).toBe("follower");
    expect(the(out, "abandonWrites").since).toBe(2);
    for (const stand of [{ type: "timer" }, { type: "elect" }] as const) {
      const node = new TestEngine({ vote: { term: 3 } });
      node.now += 300;
      node.step(stand);
      node.snapshotReceived(META);
      expect(node.state.role).toEqual({ type: "follower", leaderId: null });
    }
  });

  test("is stood for by nobody until it is installed, and then by a voter", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    node.snapshotReceived(META);
    expect(node.engine.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(node.pass(10_000)).toEqual([]);
    expect(node.step({ type: "elect" })).toEqual([]);
    node.snapshotInstalled(META);
    expect(only(node.pass(0), "sendPreVote").map(({ to }) => to)).toEqual([2, 3, 4]);
  });
});

describe("a snapshot that was installed", () => {
  test("replaces a log that is shorter", () => {
    const node = new TestEngine({ terms: [1, 1], vote: { term: 3 } });
    node.snapshotReceived(META);
    const out = node.snapshotInstalled(META);
    expect(out).toEqual([
      { type: "purge", ioSeq: 1, upto: id(3, 9) },
      { type: "saveCommitted", committed: id(3, 9) },
    ]);
    const { log, committed, applied, dispatchedIndex, snapshot, memberships: known, io } = node.state;
    expect([log.purged, log.last, committed, applied]).toEqual(Array(4).fill(id(3, 9)));
    expect([dispatchedIndex, io.durableIndex]).toEqual([9, 9]);
    expect(snapshot).toMatchObject({ lastLogId: id(3, 9), installing: null });
    expect(known).toEqual([META.lastMembership]);
  });

  test("replaces a log of another leader, all of it, also what comes after", () => {
    const node = new TestEngine({ terms: Array<number>(12).fill(2), vote: { term: 3 }, committed: 3 });
    node.append({ term: 3, prevLogId: id(2, 12), entries: [membershipEntry(id(3, 13), voters(2, 3))] });
    node.snapshotReceived(META);
    const out = node.snapshotInstalled(META);
    expect(out.map(({ type }) => type)).toEqual(["truncate", "purge", "abandonWrites", "saveCommitted"]);
    expect(the(out, "truncate").since).toBe(9);
    // What is committed and was not applied is in the snapshot.
    expect(the(out, "abandonWrites").since).toBe(1);
    expect(node.state.log.last).toEqual(id(3, 9));
    expect(node.state.memberships).toEqual([META.lastMembership]);
    expect(node.state.io.durableIndex).toBe(9);
  });

  test("leaves a log that has its last entry, and what comes after goes on", () => {
    const node = new TestEngine({ terms: [1, 1, 3, 3, 3], vote: { term: 3 }, config: { logsToKeep: 2 } });
    const membership = members(1, 2);
    node.append({ term: 3, prevLogId: id(3, 5), entries: [membershipEntry(id(3, 6), membership)] });
    const meta = snapshotMeta(id(3, 4), voters(1, 2, 3, 4), id(1, 2));
    node.snapshotReceived(meta);
    const out = node.snapshotInstalled(meta);
    expect(the(out, "purge").upto).toEqual(id(1, 2));
    expect(only(out, "truncate")).toEqual([]);
    expect(node.state.log.last).toEqual(id(3, 6));
    expect(node.state.memberships).toEqual([meta.lastMembership, { logId: id(3, 6), membership }]);
    expect(node.state.applied).toEqual(id(3, 4));
  });

  test("has what was committed after it applied", () => {
    const node = new TestEngine({ terms: [1, 1, 3, 3, 3], vote: { term: 3 } });
    const meta = snapshotMeta(id(3, 3));
    node.snapshotReceived(meta);
    node.append({ term: 3, prevLogId: id(3, 5), leaderCommit: 5 });
    const out = node.snapshotInstalled(meta);
    expect(the(out, "apply")).toEqual({ type: "apply", since: 4, upto: 5 });
    expect(node.state.committed).toEqual(id(3, 5));
    expect(only(out, "saveCommitted")).toEqual([]);
  });

  test("does not count entries as durable that were being written when it replaced them", () => {
    const node = new TestEngine({ vote: { term: 3 } });
    node.append({ term: 3, prevLogId: id(0, 0), entries: entries(1, ...Array<number>(12).fill(2)) });
    node.snapshotReceived(META);
    node.snapshotInstalled(META);
    node.append({ term: 3, prevLogId: id(3, 9), entries: entries(10, 3, 3), leaderCommit: 11 });
    expect(only(node.persist(1), "apply")).toEqual([]);
    expect(node.state.io.durableIndex).toBe(9);
    expect(the(node.persist(), "apply")).toEqual({ type: "apply", since: 10, upto: 11 });
  });

  test("makes voters and learners of those that it says", () => {
    const learner = new TestEngine({ membership: memberships([[2, 3]], 3), vote: { term: 3 } });
    learner.snapshotReceived(META);
    learner.snapshotInstalled(META);
    expect(learner.role).toBe("follower");
    const voter = new TestEngine({ vote: { term: 3 } });
    const meta = snapshotMeta(id(3, 9), members(2, 3), id(2, 4));
    voter.snapshotReceived(meta);
    voter.snapshotInstalled(meta);
    expect(voter.role).toBe("learner");
    expect(voter.engine.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test("makes no voter of a node on another store than the one it names", () => {
    const node = newNode({ incarnation: 99 });
    const incarnations = new Map([[1, 11]]);
    const meta = snapshotMeta(id(3, 9), memberships([[1, 2, 3]], 3, { incarnations }), id(2, 4));
    node.snapshotReceived(meta, 7);
    node.persist();
    node.snapshotInstalled(meta);
    expect(node.role).toBe("learner");
    expect(node.step({ type: "elect" })).toEqual([]);
  });

  test("lets a part that comes again be answered, once all of it is durable", () => {
    const node = new TestEngine({ terms: [1, 1], vote: { term: 3 } });
    node.snapshotReceived(META);
    expect(only(node.installSnapshot(3, META), "receiveSnapshot")).toHaveLength(1);
    node.snapshotInstalled(META);
    expect(the(node.installSnapshot(3, META), "answerInstallSnapshot")).toMatchObject({
      response: { type: "installed", term: 3 },
      afterIo: node.state.io.issued,
    });
  });

  test("by hand is answered once the log is durable", () => {
    const node = new TestEngine({ terms: [1, 1], vote: { term: 3 } });
    node.snapshotReceived(META, 7);
    expect(the(node.snapshotInstalled(META), "reply")).toEqual({
      type: "reply",
      requestId: 7,
      refusal: null,
      afterIo: node.state.io.issued,
    });
  });

  test("begins the count of bytes anew: what was applied before is not in the log that follows", () => {
    const node = new TestEngine({
      terms: [1, 1],
      vote: { term: 3 },
      committed: 2,
      switches: { snapshotAfterBytes: 100 },
    });
    node.engine.resume();
    node.applied(id(1, 2), 60);
    node.snapshotReceived(META);
    node.snapshotInstalled(META);
    node.append({ term: 3, prevLogId: id(3, 9), entries: entries(10, 3, 3), leaderCommit: 11 });
    node.persist();
    expect(node.applied(id(3, 10), 99)).toEqual([]);
    expect(node.applied(id(3, 11), 1)).toEqual([{ type: "buildSnapshot" }]);
  });

  test("answers requests for snapshots that came meanwhile", () => {
    const node = new TestEngine({ terms: [1, 1], vote: { term: 3 }, switches: { snapshotAfterBytes: 10 } });
    node.snapshotReceived(META);
    node.step({ type: "takeSnapshot", requestId: 5 });
    const out = node.snapshotInstalled(META);
    expect(node.state.snapshot.requests).toEqual([]);
    expect(only(out, "buildSnapshot")).toEqual([]);
  });

  test("and was not the one that is, is a bug", () => {
    expect(() => new TestEngine().snapshotInstalled(META)).toThrow(
      "installed a snapshot at 9, not at undefined",
    );
    const node = new TestEngine({ vote: { term: 3 } });
    node.snapshotReceived(META);
    expect(() => node.snapshotInstalled(snapshotMeta(id(3, 8)))).toThrow(
      "installed a snapshot at 8, not at 9",
    );
  });
});

describe("a snapshot that could not be read", () => {
  test("changes nothing, and applying goes on", () => {
    const node = new TestEngine({ terms: [1, 1, 1], vote: { term: 3 }, committed: 1 });
    node.engine.resume();
    node.snapshotReceived(META, 7);
    node.append({ term: 3, prevLogId: id(1, 3), leaderCommit: 3 });
    const out = node.snapshotInstalled(META, false);
    expect(out).toEqual([{ type: "apply", since: 2, upto: 3 }]);
    expect(node.state.snapshot).toMatchObject({
      lastLogId: id(0, 0),
      installing: null,
      installRequest: null,
    });
    expect(node.state.log.last).toEqual(id(1, 3));
  });

  test("lets the next one in, and snapshots be built", () => {
    const node = new TestEngine({ terms: [1, 1, 1], vote: { term: 3 }, committed: 3, applied: 3 });
    node.snapshotReceived(META);
    node.step({ type: "takeSnapshot", requestId: 5 });
    expect(only(node.snapshotInstalled(META, false), "buildSnapshot")).toHaveLength(1);
    expect(only(node.snapshotReceived(META), "installSnapshot")).toHaveLength(1);
  });
});

test("a build that ends after a newer snapshot was installed changes nothing", () => {
  const node = new TestEngine({ terms: [1, 1, 1], vote: { term: 3 }, committed: 3, applied: 3 });
  node.step({ type: "takeSnapshot", requestId: 5 });
  node.snapshotReceived(META);
  expect(the(node.snapshotInstalled(META), "snapshotReady").requestId).toBe(5);
  expect(node.step({ type: "snapshotBuilt", lastLogId: id(1, 3) })).toEqual([]);
  expect(node.state.snapshot).toMatchObject({ lastLogId: id(3, 9), building: false });
});
