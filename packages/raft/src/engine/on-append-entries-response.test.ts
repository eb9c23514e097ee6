import { describe, expect, test } from "vitest";
import { elect, elected, id, only, sentTo, the, voters } from "../../test/engine-harness.js";

describe("an answer counts", () => {
  test("once: repeated, it neither commits nor frees the window again", () => {
    const node = elected();
    const sent = sentTo(node.write("a"), 2);
    node.accept(sent);
    expect(node.accept(sent)).toEqual([]);
    expect(node.progress(2)).toMatchObject({ matchIndex: 2, inFlightData: 0 });
  });

  test("only in the term in which it was asked for", () => {
    const node = elected();
    const old = sentTo(node.write("a"), 2);
    node.append({ term: 2, prevLogId: id(1, 1) });
    node.step({ type: "elect" });
    node.persist();
    node.voteResponse(2, 3, true);
    const fresh = only(node.pass(0), "sendAppendEntries");
    expect(fresh).toEqual([]);
    const seq = node.progress(2).inFlight[0]?.seq as number;
    expect(node.answer({ ...old, seq }, { type: "success", matchIndex: 3 })).toEqual([]);
    expect(node.progress(2).matchIndex).toBe(0);
    expect(node.progress(2).inFlight).toHaveLength(1);
  });

  test("not after this node stepped down, nor from a stranger", () => {
    const node = elected();
    const sent = sentTo(node.write("a"), 2);
    expect(node.accept({ ...sent, to: 9 })).toEqual([]);
    node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1) });
    expect(node.role).toBe("follower");
    expect(node.accept(sent)).toEqual([]);
  });

  test("for no more than was asked: a follower cannot have what it was not sent", () => {
    const node = elected();
    const sent = sentTo(node.write("a"), 2);
    node.write("b", "c");
    node.answer(sent, { type: "success", matchIndex: 4 });
    expect(node.progress(2).matchIndex).toBe(2);
  });

  test("a later term in any answer ends this leadership (section 5.1)", () => {
    for (const answer of [
      { type: "refused", term: 7 },
      { type: "conflict", term: 7, hint: id(0, 0) },
    ] as const) {
      const node = elected();
      node.answer(sentTo(node.write("a"), 2), answer);
      expect(node.role).toBe("follower");
      expect(node.state.vote).toEqual({ term: 7, votedFor: null, committed: false });
    }
  });
});

describe("success", () => {
  test("commits with a quorum, and the news goes to every follower", () => {
    const node = elected();
    const sent = node.write("a");
    node.persist();
    node.fail(sentTo(sent, 3));
    const out = node.accept(sentTo(sent, 2));
    expect(the(out, "apply")).toEqual({ type: "apply", since: 2, upto: 2 });
    expect(sentTo(out, 2)).toMatchObject({ prevLogId: id(1, 2), upto: 2, leaderCommit: 2 });
    expect(only(out, "sendAppendEntries").map(({ to }) => to)).toEqual([2]);
  });

  test("of one follower is told to the others, who did not answer just now", () => {
    const node = elected();
    const sent = node.write("a");
    node.accept(sentTo(sent, 3));
    const out = node.persist();
    expect(only(out, "sendAppendEntries").map(({ to }) => to)).toEqual([3]);
    const quiet = elected({ membership: voters(1, 2, 3) });
    const first = quiet.write("a");
    quiet.accept(sentTo(first, 3));
    const told = quiet.accept(sentTo(first, 2));
    expect(only(told, "sendAppendEntries").map(({ to }) => to)).toEqual([2, 3]);
  });

  test("lets the next entries go", () => {
    const { node, won } = elect();
    node.write("a", "b");
    const out = node.accept(sentTo(won, 2));
    expect(sentTo(out, 2)).toMatchObject({ prevLogId: id(1, 1), upto: 3 });
  });

  test("for fewer entries than were to be sent goes on from there at once", () => {
    const node = elected();
    const sent = sentTo(node.write("a", "b", "c"), 2);
    const out = node.answer(sent, { type: "success", matchIndex: 3 });
    expect(sentTo(out, 2)).toMatchObject({ prevLogId: id(1, 3), upto: 4 });
  });
});

describe("a conflict", () => {
  test("leads to the newest entry that both logs can have, and one request goes there", () => {
    const { node, won } = elect({ terms: [1, 1, 2, 3, 3] });
    const out = node.answer(sentTo(won, 2), { type: "conflict", hint: id(2, 4) });
    expect(only(out, "sendAppendEntries")).toEqual([
      { type: "sendAppendEntries", to: 2, seq: 3, term: 4, prevLogId: id(2, 3), upto: 6, leaderCommit: 0 },
    ]);
    expect(node.progress(2).mode).toBe("probe");
  });

  test("is repaired in one round for each term that differs, not one for each entry", () => {
    const { node, won } = elect({ terms: Array<number>(50).fill(1).concat(Array<number>(50).fill(4)) });
    const out = node.answer(sentTo(won, 2), { type: "conflict", hint: id(3, 90) });
    expect(sentTo(out, 2).prevLogId).toEqual(id(1, 50));
  });

  test("from before what is known to match moves nothing", () => {
    const { node, won } = elect({ terms: [1, 1, 1] });
    const probe = sentTo(won, 2);
    const heartbeat = sentTo(node.pass(50), 2);
    node.accept(probe);
    node.answer(heartbeat, { type: "conflict", hint: id(1, 1) });
    expect(node.progress(2)).toMatchObject({ matchIndex: 4, nextIndex: 5 });
  });

  test("by a follower that lost what it had acknowledged is not answered at full speed", () => {
    const node = elected();
    node.write("a");
    const second = sentTo(node.write("b"), 2);
    const probe = sentTo(node.answer(second, { type: "conflict", hint: id(0, 0) }), 2);
    expect(probe.prevLogId).toEqual(id(1, 1));
    expect(node.answer(probe, { type: "conflict", hint: id(0, 0) })).toEqual([]);
    node.now += 19;
    expect(only(node.write("c"), "sendAppendEntries").filter(({ to }) => to === 2)).toEqual([]);
    node.now += 1;
    expect(sentTo(node.write("d"), 2).prevLogId).toEqual(id(1, 1));
  });
});

describe("any answer to a request", () => {
  test("shows that the follower is there, a conflict as well as a success: the pause is over, and the leader goes by when it asked", () => {
    for (const response of [
      { type: "success", matchIndex: 2 },
      { type: "conflict", hint: id(0, 0) },
    ] as const) {
      const { node, won } = elect({ terms: [1, 1] });
      node.fail(sentTo(won, 2));
      const beat = sentTo(node.pass(50), 2);
      const asked = node.now;
      node.now += 30;
      node.answer(beat, response);
      expect(node.progress(2)).toMatchObject({ failures: 0, ackedSentAt: asked });
      expect(node.progress(2).retryAt).toBeLessThan(node.now);
    }
  });

  test("but a refusal: it does not follow", () => {
    const { node, won } = elect();
    node.answer(sentTo(won, 2), { type: "refused" });
    expect(node.progress(2)).toMatchObject({ failures: 1, ackedSentAt: Number.NEGATIVE_INFINITY });
  });
});

describe("a refusal in the leader's own term", () => {
  test("counts as no answer: the request is over, and the next one waits", () => {
    const node = elected();
    const sent = sentTo(node.write("a"), 2);
    expect(node.answer(sent, { type: "refused" })).toEqual([]);
    expect(node.role).toBe("leader");
    expect(node.progress(2)).toMatchObject({ inFlight: [], inFlightData: 0, retryAt: node.now + 20 });
  });

  test("confirms no read", () => {
    const node = elected();
    const out = node.read(1);
    expect(only(node.answer(sentTo(out, 2), { type: "refused" }), "readReady")).toEqual([]);
  });
});

describe("no answer", () => {
  test("means a pause, and then the same entries again", () => {
    const node = elected();
    const sent = sentTo(node.write("a"), 2);
    node.accept(sentTo(node.write("b"), 3));
    expect(node.fail(sent)).toEqual([]);
    expect(only(node.pass(19), "sendAppendEntries").filter(({ to }) => to === 2)).toEqual([]);
    const again = sentTo(node.pass(31), 2);
    expect(again).toMatchObject({ prevLogId: id(1, 1), upto: 3 });
  });

  test("to a request that was answered, or in an earlier term, means nothing", () => {
    const node = elected();
    const sent = sentTo(node.write("a"), 2);
    node.accept(sent);
    node.fail(sent);
    node.fail({ ...sentTo(node.write("b"), 2), term: 0 });
    expect(node.progress(2)).toMatchObject({ failures: 0, inFlightData: 1 });
  });

  test("is no grant: nothing is committed by silence", () => {
    const node = elected();
    const sent = node.write("a");
    node.persist();
    node.fail(sentTo(sent, 2));
    node.fail(sentTo(sent, 3));
    expect(node.state.committed.index).toBe(1);
  });
});
