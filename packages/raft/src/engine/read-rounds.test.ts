import { describe, expect, test } from "vitest";
import {
  TestEngine,
  elect,
  elected,
  id,
  memberships,
  only,
  sentTo,
  the,
  voters,
} from "../../test/engine-harness.js";
import type { Command } from "./command.js";
import { mayReadAtOnce } from "./read-rounds.js";

describe("a linearizable read (thesis section 6.4)", () => {
  test("is ready once a majority has answered a message sent after it came, at the commit index it came at", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const out = node.read(7);
    expect(
      only(out, "sendAppendEntries").map(({ to, upto, prevLogId }) => [to, upto - prevLogId.index]),
    ).toEqual([2, 3].map((to) => [to, 0]));
    expect(only(node.accept(sentTo(out, 2)), "readReady")).toEqual([]);
    expect(the(node.accept(sentTo(out, 3)), "readReady")).toEqual({
      type: "readReady",
      requestId: 7,
      readIndex: id(1, 1),
    });
  });

  test("waits for nothing that is not committed yet", () => {
    const node = elected();
    node.write("a");
    const out = node.read(7);
    expect(the(node.accept(sentTo(out, 2)), "readReady").readIndex).toEqual(id(1, 1));
  });

  test("is answered once", () => {
    const node = elected();
    const out = [...node.read(7), ...node.pass(10)];
    node.accept(sentTo(out, 2));
    expect(only(node.accept(sentTo(out, 3)), "readReady")).toEqual([]);
  });

  test("is not confirmed by answers to messages sent before it came", () => {
    const node = elected();
    const early = node.write("a");
    node.read(7);
    expect(only(node.accept(sentTo(early, 2)), "readReady")).toEqual([]);
    expect(only(node.accept(sentTo(early, 3)), "readReady")).toEqual([]);
  });

  test("is not confirmed by late answers to an older read", () => {
    const node = elected();
    const first = [...node.read(7), ...node.pass(10)];
    node.read(8);
    const second = node.accept(sentTo(first, 2));
    expect(the(second, "readReady").requestId).toBe(7);
    expect(only(node.accept(sentTo(first, 3)), "readReady")).toEqual([]);
    expect(the(node.accept(sentTo(second, 2)), "readReady").requestId).toBe(8);
  });

  test("is confirmed together with all older ones", () => {
    const node = elected();
    node.read(7);
    node.read(8);
    const beats = node.pass(50);
    const ready = only(node.accept(sentTo(beats, 3)), "readReady");
    expect(ready.map(({ requestId }) => requestId)).toEqual([7, 8]);
  });

  test("asks at once, whatever writes and heartbeats are on their way: alone it waits for one answer only", () => {
    const node = elected();
    node.pass(50);
    node.write("a");
    const out = node.read(7);
    expect(only(out, "sendAppendEntries").map(({ to }) => to)).toEqual([2]);
    expect(the(node.accept(sentTo(out, 2)), "readReady").requestId).toBe(7);
  });

  test("is confirmed by any message sent after it came, and a conflict confirms as well as a success", () => {
    const node = elected();
    node.read(7);
    const write = sentTo(node.write("a"), 2);
    const out = node.answer(write, { type: "conflict", hint: id(0, 0) });
    expect(the(out, "readReady")).toMatchObject({ requestId: 7, readIndex: id(1, 1) });
  });

  test("is not confirmed by learners", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 5) });
    const out = [...node.read(7), ...node.pass(10)];
    expect(only(out, "sendAppendEntries").map(({ to }) => to)).toEqual([2, 3]);
    const beats = node.pass(50);
    node.accept(sentTo(beats, 4));
    expect(only(node.accept(sentTo(beats, 5)), "readReady")).toEqual([]);
    expect(only(node.accept(sentTo(out, 3)), "readReady")).toHaveLength(1);
  });

  test("while joint needs a majority of both sets", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 5) });
    node.change(1, { type: "replaceVoters", ids: [1, 4, 5] });
    const out = node.read(7);
    node.accept(sentTo(out, 2));
    expect(only(node.accept(sentTo(out, 3)), "readReady")).toEqual([]);
    expect(only(node.accept(sentTo(out, 4)), "readReady")).toHaveLength(1);
  });

  test("whose messages were lost is confirmed by the next heartbeats", () => {
    const node = elected();
    const out = [...node.read(7), ...node.pass(10)];
    node.fail(sentTo(out, 2));
    node.fail(sentTo(out, 3));
    const beat = sentTo(node.pass(50), 3);
    expect(only(node.accept(beat), "readReady")).toHaveLength(1);
  });

  test("asks nobody who is left alone after failures", () => {
    const node = elected();
    node.fail(sentTo(node.write("a"), 2));
    expect(only(node.read(7), "sendAppendEntries").map(({ to }) => to)).toEqual([3]);
  });
});

describe("a read round asks no more than it needs", () => {
  const asked = (commands: readonly Command[]): number[] =>
    only(commands, "sendAppendEntries").map(({ to }) => to);

  test("first who answered what was sent last", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const beats = node.pass(50);
    node.accept(sentTo(beats, 4));
    expect(asked(node.read(1))).toEqual([4, 2]);
    node.now += 1;
    const later = node.write("a");
    node.accept(sentTo(later, 5));
    expect(asked(node.read(2))).toEqual([5, 3]);
  });

  test("and the others 10 ms later, once, where no quorum has answered until then", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const out = node.read(1);
    expect(asked(out)).toEqual([2, 3]);
    node.accept(sentTo(out, 2));
    expect(node.engine.nextDeadline()).toBe(node.now + 10);
    expect(node.pass(9)).toEqual([]);
    const rest = node.pass(1);
    expect(asked(rest)).toEqual([4, 5]);
    expect(node.engine.nextDeadline()).toBe(node.now + 40);
    expect(the(node.accept(sentTo(rest, 5)), "readReady").requestId).toBe(1);
  });

  test("counted from when they were asked, whatever else is answered meanwhile", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const write = node.write("a");
    node.read(1);
    const { now } = node;
    node.now += 5;
    node.accept(sentTo(write, 4));
    expect(node.engine.nextDeadline()).toBe(now + 10);
  });

  test("also those that have entries on their way, which take longer", () => {
    const node = elected();
    expect(asked(node.read(1))).toEqual([2]);
    node.write("a");
    expect(asked(node.pass(10))).toEqual([3]);
  });

  test("and waits as long for who is asked again, once it has answered about an earlier read", () => {
    const node = elected();
    const out = node.read(1);
    for (let i = 2; i <= 4; i++) node.read(i);
    node.pass(10);
    expect(node.engine.nextDeadline()).toBe(node.now + 40);
    node.now += 2;
    expect(asked(node.accept(sentTo(out, 2)))).toEqual([2]);
    expect(node.engine.nextDeadline(node.now + 38)).toBe(node.now + 10);
  });

  test("and nobody later where a quorum has answered", () => {
    const node = elected();
    node.accept(sentTo(node.read(1), 2));
    expect(node.engine.nextDeadline()).toBe(node.now + 50);
    expect(node.pass(10)).toEqual([]);
  });

  test("a follower that hangs delays one read: the next asks another at once, which confirms both", () => {
    const node = elected();
    expect(asked(node.read(1))).toEqual([2]);
    const next = node.read(2);
    expect(asked(next)).toEqual([3]);
    const ready = only(node.accept(sentTo(next, 3)), "readReady");
    expect(ready.map(({ requestId }) => requestId)).toEqual([1, 2]);
    // From then on it is asked nothing, but by heartbeats.
    expect(asked(node.read(3))).toEqual([3]);
  });

  test("while joint it asks a majority of both sets", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 5) });
    node.change(1, { type: "replaceVoters", ids: [1, 4, 5] });
    const out = node.read(7);
    expect(asked(out)).toContain(4);
    for (const to of asked(out)) node.accept(sentTo(out, to));
    expect(node.leader.reads).toEqual([]);
  });
});

describe("a new leader whose own blank entry is not committed delays linearizable reads", () => {
  test("until an answer commits it; then it asks, at the new commit index", () => {
    const { node, won } = elect({ terms: [1, 1], committed: 1 });
    node.persist();
    expect(node.read(7)).toEqual([]);
    expect(node.leader.reads).toEqual([{ requestId: 7, readIndex: null, round: 0 }]);
    const out = node.accept(sentTo(won, 2));
    expect(node.state.committed).toEqual(id(2, 3));
    const confirming = only(out, "sendAppendEntries").find(({ upto, prevLogId }) => upto === prevLogId.index);
    if (confirming === undefined) throw new Error("nobody is asked");
    expect(the(node.accept(confirming), "readReady")).toEqual({
      type: "readReady",
      requestId: 7,
      readIndex: id(2, 3),
    });
  });

  test("until its own disk commits it", () => {
    const { node, won } = elect();
    node.accept(sentTo(won, 2));
    node.read(7);
    const out = node.persist();
    const confirming = only(out, "sendAppendEntries").filter(({ to }) => to === 2);
    expect(confirming.map(({ prevLogId }) => prevLogId)).toEqual([id(1, 1)]);
    expect(
      only(node.answer(sentTo(confirming, 2), { type: "conflict", hint: id(0, 0) }), "readReady"),
    ).toEqual([{ type: "readReady", requestId: 7, readIndex: id(1, 1) }]);
  });

  test("and a round that was under way does not count for them", () => {
    const { node, won } = elect();
    node.persist();
    node.read(7);
    const out = node.accept(sentTo(won, 2));
    expect(only(out, "readReady")).toEqual([]);
    expect(node.leader.round).toBe(1);
  });
});

describe("reads that come faster than answers", () => {
  test("add no message for a follower that is still being asked: it is asked about the newest when it has answered", () => {
    const node = elected({ membership: voters(1, 2) });
    const first = node.read(1);
    for (let i = 2; i <= 100; i++) expect(node.read(i)).toEqual([]);
    expect(node.progress(2).inFlight).toHaveLength(1);
    const again = node.accept(sentTo(first, 2));
    expect(only(again, "readReady").map(({ requestId }) => requestId)).toEqual([1]);
    expect(only(again, "sendAppendEntries").map(({ to }) => to)).toEqual([2]);
    expect(only(node.accept(sentTo(again, 2)), "readReady")).toHaveLength(99);
    expect(node.leader.reads).toEqual([]);
  });

  test("do not pile up at a slow follower while a fast one confirms them, and it can still take the fast one's place", () => {
    const node = elected();
    const first = [...node.read(1), ...node.pass(10)];
    const slow = sentTo(first, 3);
    let out = first;
    for (let i = 2; i <= 100; i++) {
      node.accept(sentTo(out, 2));
      out = node.read(i);
    }
    expect(node.progress(3).inFlight).toHaveLength(1);
    expect(node.accept(slow)).toEqual([]);
    const again = node.pass(10);
    expect(the(node.accept(sentTo(again, 3)), "readReady").requestId).toBe(100);
  });

  test("are asked about again with the next heartbeat where the question was lost", () => {
    const node = elected();
    node.read(1);
    node.read(2);
    const beats = node.pass(50);
    expect(only(node.accept(sentTo(beats, 2)), "readReady").map(({ requestId }) => requestId)).toEqual([
      1, 2,
    ]);
  });

  test("are asked about after the pause of a follower that did not answer", () => {
    const node = elected();
    const out = node.read(1);
    node.fail(sentTo(out, 2));
    expect(only(node.read(2), "sendAppendEntries").map(({ to }) => to)).toEqual([3]);
    node.now += 20;
    expect(only(node.read(3), "sendAppendEntries").map(({ to }) => to)).toEqual([2]);
  });

  test("let a follower rest that has answered the newest", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const out = node.read(1);
    expect(node.accept(sentTo(out, 2))).toEqual([]);
  });
});

test("a deposed leader in a minority fails its reads", () => {
  const node = elected();
  node.read(7);
  const out = node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1) });
  expect(the(out, "refuseReads")).toEqual({
    type: "refuseReads",
    requestId: 7,
    refusal: { code: "notLeader", leaderId: 3 },
  });
});

describe("a read at once", () => {
  const alone = { membership: voters(1) };

  test("is for the only voter, once its blank entry is applied, and waits for no learner", () => {
    const node = new TestEngine({ ...alone, terms: [1], committed: 1, applied: 1 });
    expect(mayReadAtOnce(node.state)).toBe(false);
    node.step({ type: "elect" });
    node.persist();
    expect(node.role).toBe("leader");
    expect(mayReadAtOnce(node.state)).toBe(false);
    node.persist();
    expect([node.state.committed, node.state.applied]).toEqual([id(2, 2), id(1, 1)]);
    expect(mayReadAtOnce(node.state)).toBe(false);
    node.settle();
    expect(mayReadAtOnce(node.state)).toBe(true);

    const watched = elect({ membership: memberships([[1]], 2) }).node;
    watched.settle();
    expect(mayReadAtOnce(watched.state)).toBe(true);
  });

  test("is not for a leader that has committed what it has not applied", () => {
    const { node } = elect(alone);
    node.settle();
    node.write("a");
    expect(mayReadAtOnce(node.state)).toBe(true);
    node.persist();
    expect(mayReadAtOnce(node.state)).toBe(false);
    node.settle();
    expect(mayReadAtOnce(node.state)).toBe(true);
  });

  test("is not for a leader whose storage hangs, nor for one that has begun to share its votes", () => {
    const { node } = elect(alone);
    node.settle();
    node.stalled("append");
    expect(mayReadAtOnce(node.state)).toBe(false);

    const sharing = elect({ membership: memberships([[1]], 2) }).node;
    sharing.settle();
    sharing.change(1, { type: "addVoters", ids: [2] }, { allowLagging: true });
    expect(sharing.state.memberships.at(-1)?.membership.configs).toEqual([[1], [1, 2]]);
    sharing.settle();
    expect(mayReadAtOnce(sharing.state)).toBe(false);
  });

  test("is not for a leader of several, nor for a voter that does not lead", () => {
    const node = elected();
    expect(node.state.applied).toEqual(node.state.committed);
    expect(mayReadAtOnce(node.state)).toBe(false);
    expect(mayReadAtOnce(new TestEngine(alone).state)).toBe(false);
    // It leads until its removal is committed; the only voter is another.
    const other = elect(alone).node;
    other.settle();
    expect(mayReadAtOnce({ ...other.state, id: 2 })).toBe(false);
  });
});
