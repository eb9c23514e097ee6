import { describe, expect, test } from "vitest";
import type { SendSnapshotCommand } from "./command.js";
import type { TestEngine } from "../../test/engine-harness.js";
import { elect, elected, flow, id, memberships, only, sentTo, the } from "../../test/engine-harness.js";

/** Node 1 leads in term 2, with a log from 6 to 7; node 2 gets a snapshot up to 5, node 3 has everything. */
function sending(): { node: TestEngine; sent: SendSnapshotCommand } {
  const { node, won } = elect({ purged: id(1, 5), terms: [1] });
  flow(node, won, (peer) => peer === 3);
  const probe = sentTo(node.answer(sentTo(won, 2), { type: "conflict", hint: id(1, 2) }), 2);
  const sent = the(node.answer(probe, { type: "conflict", hint: id(1, 2) }), "sendSnapshot");
  return { node, sent };
}

describe("a follower that holds the snapshot", () => {
  test("goes on with the entries after it, in the pipeline", () => {
    const { node, sent } = sending();
    const out = node.snapshotDone(sent, id(1, 5));
    expect(sentTo(out, 2)).toMatchObject({ prevLogId: id(1, 5), upto: 7 });
    expect(node.progress(2)).toMatchObject({ matchIndex: 5, nextIndex: 8, mode: "pipeline", snapshotSeq: 0 });
    node.accept(sentTo(out, 2));
    expect(node.progress(2).matchIndex).toBe(7);
  });

  test("counts with what it holds: entries are committed by it", () => {
    const node = elected();
    const out = node.write("a");
    flow(node, out, (peer) => peer === 3);
    node.step({ type: "takeSnapshot", requestId: 1 });
    node.step({ type: "snapshotBuilt", lastLogId: id(1, 2) });
    node.fail(sentTo(out, 2));
    const sent = the(node.pass(50), "sendSnapshot");
    const more = node.write("b");
    node.persist();
    expect(only(more, "sendAppendEntries").map(({ to }) => to)).toEqual([3]);
    const rest = sentTo(node.snapshotDone(sent, id(1, 2)), 2);
    expect(node.state.committed.index).toBe(2);
    node.accept(rest);
    expect(node.state.committed.index).toBe(3);
  });

  test("gets the next one where the log has been purged beyond it meanwhile", () => {
    const { node, sent } = sending();
    node.step({ type: "takeSnapshot", requestId: 1 });
    node.step({ type: "snapshotBuilt", lastLogId: id(2, 7) });
    expect(node.state.log.purged.index).toBe(7);
    const again = the(node.snapshotDone(sent, id(1, 5)), "sendSnapshot");
    expect(again).toMatchObject({ to: 2, term: 2 });
    expect(node.progress(2)).toMatchObject({
      matchIndex: 5,
      mode: "snapshot",
      snapshotSeq: again.seq,
      snapshotIndex: 7,
    });
  });
});

describe("the store that a snapshot was installed on", () => {
  /** Node 1 leads, and has been told nothing by learner 4 when it sends it a snapshot up to 2. */
  function toSilentLearner(): { node: TestEngine; sent: SendSnapshotCommand } {
    const { node, won } = elect({ membership: memberships([[1, 2, 3]], 4) });
    const others = (peer: number): boolean => peer !== 4;
    flow(node, won, others);
    flow(node, node.write("a"), others);
    node.step({ type: "takeSnapshot", requestId: 1 });
    node.step({ type: "snapshotBuilt", lastLogId: id(1, 2) });
    node.fail(sentTo(won, 4));
    return { node, sent: the(node.pass(50), "sendSnapshot") };
  }

  test("is the one that the follower is known by: what comes from another counts for nothing of it", () => {
    const { node, sent } = toSilentLearner();
    const rest = node.snapshotDone(sent, id(1, 2), 14);
    expect(node.progress(4)).toMatchObject({ matchIndex: 2, incarnation: 14 });
    node.answer(sentTo(node.write("b"), 4), { type: "conflict", hint: id(0, 0) }, 99);
    expect(rest).toBeDefined();
    expect(node.progress(4)).toMatchObject({ matchIndex: 0, mode: "probe" });
    // It holds nothing, and is no voter for what the other store held.
    const refusal = { code: "learnerLagging", nodeId: 4, matchIndex: 0 };
    expect(the(node.change(7, { type: "addVoters", ids: [4] }), "reply").refusal).toMatchObject(refusal);
  });

  test("has to be the one that answered before", () => {
    const { node, sent } = toSilentLearner();
    node.accept(sentTo(node.pass(50), 4), 14);
    expect(node.progress(4).incarnation).toBe(14);
    node.snapshotDone({ ...sent, seq: node.progress(4).snapshotSeq }, id(1, 2), 99);
    expect(node.progress(4)).toMatchObject({ matchIndex: 0, incarnation: 0, mode: "probe" });
  });
});

describe("an answer that is not to the snapshot on its way", () => {
  test("changes nothing: of an earlier one, of an earlier term, of a stranger, or repeated", () => {
    const { node, sent } = sending();
    for (const stale of [
      { ...sent, seq: sent.seq - 1 },
      { ...sent, seq: 0 },
      { ...sent, term: 1 },
      { ...sent, to: 9 },
      { ...sent, to: 3 },
    ]) {
      expect(node.snapshotDone(stale, id(1, 5))).toEqual([]);
      expect(node.snapshotFailed(stale)).toEqual([]);
    }
    expect(node.progress(2)).toMatchObject({ mode: "snapshot", matchIndex: 0, failures: 0 });
    node.snapshotDone(sent, id(1, 5));
    expect(node.snapshotDone(sent, id(1, 7))).toEqual([]);
    expect(node.snapshotFailed(sent)).toEqual([]);
    expect(node.progress(2)).toMatchObject({ mode: "pipeline", matchIndex: 5 });
  });

  test("nor when the follower was helped otherwise: it has the entry where the log begins", () => {
    const { node, sent } = sending();
    const beat = sentTo(node.pass(50), 2);
    const out = node.accept(beat);
    expect(sentTo(out, 2)).toMatchObject({ prevLogId: id(1, 5), upto: 7 });
    expect(node.snapshotFailed(sent)).toEqual([]);
    expect(node.progress(2)).toMatchObject({ mode: "pipeline", failures: 0 });
  });
});

describe("a follower that does not follow", () => {
  test("in a later term deposes this leader", () => {
    const { node, sent } = sending();
    node.step({
      type: "installSnapshotResponse",
      from: 2,
      requestTerm: 2,
      seq: sent.seq,
      lastLogId: id(1, 5),
      response: { type: "refused", term: 8 },
      incarnation: 0,
    });
    expect(node.role).toBe("follower");
    expect(node.state.vote.term).toBe(8);
  });

  test("in this term is left alone for a while, like one that did not answer", () => {
    const { node, sent } = sending();
    const out = node.step({
      type: "installSnapshotResponse",
      from: 2,
      requestTerm: 2,
      seq: sent.seq,
      lastLogId: id(1, 5),
      response: { type: "refused", term: 2 },
      incarnation: 0,
    });
    expect(out).toEqual([]);
    expect(node.progress(2)).toMatchObject({ mode: "probe", snapshotSeq: 0, failures: 1, matchIndex: 0 });
  });
});

describe("a snapshot that did not get through", () => {
  test("is sent again after a pause, longer each time, under a new name", () => {
    const { node, sent } = sending();
    let last = sent;
    for (const pause of [20, 40, 80, 100, 100]) {
      node.accept(sentTo(node.pass(50), 3));
      node.snapshotFailed(last);
      expect(only(node.pass(pause - 1), "sendSnapshot")).toEqual([]);
      const again = the(node.pass(51 - Math.min(50, pause)), "sendSnapshot");
      expect(again.seq).toBeGreaterThan(last.seq);
      last = again;
      for (const beat of only(node.pass(0), "sendAppendEntries")) if (beat.to === 3) node.accept(beat);
    }
  });

  test("is not ended by a heartbeat that got no answer", () => {
    const { node, sent } = sending();
    node.fail(sentTo(node.pass(50), 2));
    expect(node.progress(2)).toMatchObject({ mode: "snapshot", snapshotSeq: sent.seq });
    expect(only(node.pass(200), "sendSnapshot")).toEqual([]);
    const out = node.snapshotDone(sent, id(1, 5));
    expect(sentTo(out, 2)).toMatchObject({ prevLogId: id(1, 5), upto: 7 });
  });
});
