import { describe, expect, test } from "vitest";
import { elect, elected, id, only, sentTo, voters } from "../../test/engine-harness.js";
import type { Command, SendAppendEntriesCommand } from "../../src/engine/command.js";

/** What was sent to one follower, as [index before, last index]. */
function ranges(commands: readonly Command[], to: number): [number, number][] {
  return only(commands, "sendAppendEntries")
    .filter((each) => each.to === to)
    .map(({ prevLogId, upto }) => [prevLogId.index, upto]);
}

function emptyOnes(commands: readonly Command[]): SendAppendEntriesCommand[] {
  return only(commands, "sendAppendEntries").filter(({ prevLogId, upto }) => prevLogId.index === upto);
}

describe("while it is not known where the logs meet", () => {
  test("one request with entries at a time finds out", () => {
    const { node, won } = elect();
    expect(ranges(won, 2)).toEqual([[0, 1]]);
    expect(ranges(node.write("a"), 2)).toEqual([]);
    expect(ranges(node.write("b"), 2)).toEqual([]);
    expect(ranges(node.accept(sentTo(won, 2)), 2)).toEqual([[1, 3]]);
  });

  test("heartbeats say only where the probe stands", () => {
    const { node } = elect({ terms: [1, 1] });
    const out = node.pass(50);
    expect(ranges(out, 2)).toEqual([[2, 2]]);
  });
});

describe("in the pipeline", () => {
  test("requests follow each other without waiting, up to the window", () => {
    const node = elected();
    expect(ranges(node.write("a"), 2)).toEqual([[1, 2]]);
    expect(ranges(node.write("b"), 2)).toEqual([[2, 3]]);
    expect(ranges(node.write("c"), 2)).toEqual([]);
    expect(node.progress(2).inFlightData).toBe(2);
  });

  test("each carries no more than a payload, and the rest waits for an answer", () => {
    const node = elected();
    const out = node.write("a", "b", "c", "d", "e", "f", "g");
    expect(ranges(out, 2)).toEqual([
      [1, 4],
      [4, 7],
    ]);
    const first = only(out, "sendAppendEntries").find(({ to }) => to === 2) as SendAppendEntriesCommand;
    expect(ranges(node.accept(first), 2)).toEqual([[7, 8]]);
  });

  test("a slow follower does not hold up a fast one", () => {
    const node = elected();
    const out = node.write("a", "b", "c", "d", "e", "f", "g");
    for (const sent of only(out, "sendAppendEntries").filter(({ to }) => to === 3)) node.accept(sent);
    node.persist();
    expect(node.progress(3).nextIndex).toBe(9);
    expect(node.progress(2).nextIndex).toBe(8);
    expect(node.state.committed.index).toBe(7);
  });

  test("heartbeats say only what is known to match: what was sent ahead may be lost", () => {
    const node = elected();
    node.write("a");
    node.write("b");
    const beat = sentTo(node.pass(50), 2);
    expect([beat.prevLogId, beat.upto]).toEqual([id(1, 1), 1]);
  });
});

describe("news of the commit index", () => {
  test("travels at once, alone where there is nothing else to send", () => {
    const node = elected();
    const sent = node.write("a");
    node.persist();
    node.accept(sentTo(sent, 2));
    const told = node.accept(sentTo(sent, 3));
    expect(sentTo(told, 3)).toMatchObject({ prevLogId: id(1, 2), upto: 2, leaderCommit: 2 });
  });

  test("is told once: no message follows on its answer", () => {
    const node = elected();
    const sent = node.write("a");
    node.persist();
    const told = sentTo(node.accept(sentTo(sent, 2)), 2);
    expect(node.accept(told)).toEqual([]);
  });

  test("waits for the answer that is under way", () => {
    const node = elected();
    const first = node.write("a");
    node.write("b");
    node.persist();
    expect(ranges(node.accept(sentTo(first, 3)), 2)).toEqual([]);
    expect(node.state.committed.index).toBe(2);
  });
});

describe("heartbeats", () => {
  test("go out once an interval to whom nothing else was sent", () => {
    const node = elected();
    node.pass(30);
    const sent = node.write("a");
    expect(node.pass(20)).toEqual([]);
    expect(node.engine.nextDeadline()).toBe(node.now + 30);
    node.accept(sentTo(sent, 2));
    expect(only(node.pass(30), "sendAppendEntries").map(({ to }) => to)).toEqual([2, 3]);
  });

  test("carry entries where some are due and nothing is under way", () => {
    const node = elected();
    const sent = node.write("a");
    node.fail(sentTo(sent, 2));
    expect(ranges(node.pass(50), 2)).toEqual([[1, 2]]);
  });

  test("find out that an idle follower lags, and repair it", () => {
    const { node, won } = elect({ terms: [1, 1, 1] });
    node.fail(sentTo(won, 2));
    const beat = sentTo(node.pass(50), 2);
    const repair = sentTo(node.answer(beat, { type: "conflict", hint: id(0, 0) }), 2);
    expect(repair.prevLogId.index).toBe(0);
  });
});

describe("a follower that does not answer", () => {
  test("is left alone until its pause is over, by heartbeats too", () => {
    const node = elected();
    for (let i = 0; i < 3; i++) {
      const beats = node.pass(100);
      node.accept(sentTo(beats, 3));
      node.fail(sentTo(beats, 2));
    }
    expect(node.progress(2).retryAt).toBe(node.now + 80);
    expect(ranges(node.pass(79), 2)).toEqual([]);
    expect(ranges(node.pass(1), 2)).toEqual([[1, 1]]);
  });

  test("gets new writes when the pause is over", () => {
    const node = elected();
    node.fail(sentTo(node.write("a"), 2));
    node.now += 20;
    expect(ranges(node.write("b"), 2)).toEqual([[1, 3]]);
  });

  test("is due at the end of its pause", () => {
    const node = elected({ config: { backoffMinMs: 80 }, membership: voters(1, 2) });
    node.fail(sentTo(node.write("a"), 2));
    expect(node.engine.nextDeadline()).toBe(node.now + 80);
  });
});

describe("a follower that needs what is purged", () => {
  test("gets a snapshot, heartbeats from where the log begins, and no entries: only the snapshot can help it", () => {
    const { node, won } = elect({ purged: id(1, 5), terms: [1, 1] });
    const again = sentTo(node.answer(sentTo(won, 2), { type: "conflict", hint: id(1, 2) }), 2);
    expect(again.prevLogId).toEqual(id(1, 5));
    const out = node.answer(again, { type: "conflict", hint: id(1, 2) });
    expect(out).toEqual([{ type: "sendSnapshot", to: 2, seq: again.seq + 1, term: 2 }]);
    expect(ranges(node.write("a"), 2)).toEqual([]);
    const beat = sentTo(emptyOnes(node.pass(50)), 2);
    expect(beat.prevLogId).toEqual(id(1, 5));
    expect(node.answer(beat, { type: "conflict", hint: id(1, 2) })).toEqual([]);
    expect(only(node.pass(50), "sendSnapshot")).toEqual([]);
  });
});

test("every request has a name of its own", () => {
  const node = elected();
  const seqs = only([...node.write("a"), ...node.pass(50), ...node.read(1)], "sendAppendEntries").map(
    ({ seq }) => seq,
  );
  expect(new Set(seqs).size).toBe(5);
  expect(sentTo(node.write("b"), 2).seq).toBe(Math.max(...seqs) + 1);
});

describe("what is committed", () => {
  test("is told with the next entries, and by itself only when nothing else comes", () => {
    const node = elected();
    const { engine, now } = node;
    const out = node.write("a");
    node.persist();
    const { seq, term, upto } = sentTo(out, 2);
    const response = { type: "success", term, matchIndex: upto } as const;
    const answer = {
      type: "appendEntriesResponse",
      from: 2,
      requestTerm: term,
      seq,
      response,
      incarnation: 0,
    } as const;
    const committed = engine.step(answer, now);
    expect(node.state.committed.index).toBe(upto);
    expect(only(committed, "sendAppendEntries")).toEqual([]);
    expect(engine.hasNews()).toBe(true);

    const next = only(
      engine.step({ type: "clientWrite", payloads: [{ type: "normal", data: "b" }] }, now),
      "sendAppendEntries",
    );
    expect(next.map(({ to, leaderCommit }) => [to, leaderCommit])).toEqual([
      [2, upto],
      [3, upto],
    ]);
    expect(engine.hasNews()).toBe(false);
    expect(engine.step({ type: "tellCommit" }, now)).toEqual([]);
  });

  test("is told alone to whoever has everything else, once", () => {
    const node = elected();
    const out = node.write("a");
    node.persist();
    const told = only(node.accept(sentTo(out, 2)), "sendAppendEntries");
    expect(
      told.map(({ to, prevLogId, upto, leaderCommit }) => [to, prevLogId.index, upto, leaderCommit]),
    ).toEqual([[2, 2, 2, 2]]);
    expect(node.engine.step({ type: "tellCommit" }, node.now)).toEqual([]);
  });

  test("is no news to a follower that is to be left alone after a failure", () => {
    const node = elected();
    const out = node.write("a");
    node.persist();
    node.fail(sentTo(out, 3));
    node.accept(sentTo(out, 2));
    expect(node.progress(3).toldCommit).toBe(1);
    expect(node.engine.hasNews()).toBe(false);
  });
});
