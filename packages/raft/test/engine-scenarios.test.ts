import type { NodeId } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command } from "../src/engine/command.js";
import {
  TestEngine,
  elect,
  elected,
  entries,
  id,
  membershipEntry,
  memberships,
  only,
  sentTo,
  the,
  voters,
} from "./engine-harness.js";

/** What has gone wrong in other implementations, told on one engine. */

describe("five voters acknowledge in any order: only what a real majority holds is committed", () => {
  test("whatever the order of answers and of the own disk", () => {
    const holder = fc.constantFrom<NodeId>(1, 2, 3, 4, 5);
    const acknowledgement = fc.tuple(holder, fc.integer({ min: 2, max: 5 }));
    fc.assert(
      fc.property(fc.array(acknowledgement, { maxLength: 20 }), (order) => {
        const node = elected({ membership: voters(1, 2, 3, 4, 5), config: { maxInFlightAppends: 4 } });
        const sent: Command[] = ["a", "b", "c", "d"].flatMap((data) => node.write(data));
        const firstIo = node.state.io.persisted;
        const held = new Map<NodeId, number>([1, 2, 3, 4, 5].map((voter) => [voter, 1]));
        for (const [from, upto] of order) {
          if (upto <= (held.get(from) as number)) continue;
          held.set(from, upto);
          if (from === 1) node.persist(firstIo + upto - 1);
          else {
            const request = only(sent, "sendAppendEntries").find(
              (each) => each.to === from && each.upto === upto,
            );
            node.accept(request as NonNullable<typeof request>);
          }
          const byMajority = [...held.values()].toSorted((a, b) => b - a)[2];
          expect(node.state.committed.index).toBe(byMajority);
        }
      }),
    );
  });

  test("two of five are not enough, three are", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const out = node.write("a");
    node.persist();
    node.accept(sentTo(out, 5));
    expect(node.state.committed.index).toBe(1);
    node.accept(sentTo(out, 4));
    expect(node.state.committed.index).toBe(2);
  });
});

describe("a new leader never commits an earlier term's entry by counting copies (figure 8)", () => {
  test("the entry of term 2 is on a majority, and stays uncommitted until one of term 4 is too", () => {
    const { node, won } = elect({ membership: voters(1, 2, 3, 4, 5), terms: [1, 2], vote: { term: 3 } });
    node.persist();
    for (const peer of [2, 3, 4, 5]) {
      const back = sentTo(node.answer(sentTo(won, peer), { type: "conflict", hint: id(1, 1) }), peer);
      expect(back.prevLogId).toEqual(id(1, 1));
      node.answer(back, { type: "success", matchIndex: 2 });
      expect(node.progress(peer).matchIndex).toBe(2);
    }
    expect(node.state.committed.index).toBe(0);
    const own = only(node.pass(200), "sendAppendEntries");
    for (const sent of own.slice(0, 2)) node.answer({ ...sent, upto: 3 }, { type: "success", matchIndex: 3 });
    expect(node.state.committed.index).toBe(0);
  });

  test("the first entry of its own term commits it along", () => {
    const { node, won } = elect({ terms: [1, 2], vote: { term: 3 } });
    node.persist();
    node.accept(sentTo(won, 2));
    expect(node.state.committed).toEqual(id(4, 3));
  });
});

describe("a new leader whose own blank entry is not committed delays linearizable reads", () => {
  test("also when a quorum confirms that it leads", () => {
    const { node } = elect({ terms: [1, 1], committed: 2 });
    node.persist();
    expect(node.read(7)).toEqual([]);
    for (const peer of [2, 3]) {
      const beat = sentTo(node.pass(50), peer);
      expect(only(node.answer(beat, { type: "success", matchIndex: 2 }), "readReady")).toEqual([]);
    }
  });
});

describe("a deposed leader in a minority fails its reads", () => {
  test("without answers they are never served, and once a later term is seen they are refused", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const out = node.read(7);
    expect(only(node.accept(sentTo(out, 2)), "readReady")).toEqual([]);
    for (const peer of [3, 4, 5]) node.fail(sentTo(out, peer));
    for (let i = 0; i < 10; i++) expect(only(node.pass(100), "readReady")).toEqual([]);
    const deposed = node.answer(sentTo(node.pass(100), 2), { type: "refused", term: 2 });
    expect(the(deposed, "refuseReads")).toMatchObject({ requestId: 7, refusal: { code: "notLeader" } });
  });
});

describe("late or repeated confirmations of an older read are not counted", () => {
  test("a quorum that confirmed the first read has not confirmed the second", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const first = node.read(7);
    node.accept(sentTo(first, 2));
    const second = node.read(8);
    expect(only(node.accept(sentTo(first, 3)), "readReady").map(({ requestId }) => requestId)).toEqual([7]);
    for (const peer of [2, 3, 4, 5]) {
      expect(only(node.accept(sentTo(first, peer)), "readReady")).toEqual([]);
    }
    node.accept(sentTo(second, 4));
    expect(only(node.accept(sentTo(second, 4)), "readReady")).toEqual([]);
    expect(only(node.accept(sentTo(second, 5)), "readReady").map(({ requestId }) => requestId)).toEqual([8]);
  });

  test("confirmations of an earlier leadership of the same node do not confirm reads of the next", () => {
    const node = elected();
    const old = node.read(7);
    node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1) });
    node.step({ type: "elect" });
    node.persist();
    const won = node.voteResponse(2, 3, true);
    node.persist();
    node.accept(sentTo(won, 2));
    node.read(8);
    expect(only(node.accept(sentTo(old, 2)), "readReady")).toEqual([]);
    expect(only(node.accept(sentTo(old, 3)), "readReady")).toEqual([]);
  });
});

describe("step-down within a term keeps the vote; a restart cannot vote twice", () => {
  test("a candidate that lost to the leader of its term has still voted for itself", () => {
    const node = new TestEngine();
    node.step({ type: "elect" });
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    expect(node.role).toBe("follower");
    expect(the(node.voteRequest(2, 1, id(9, 9)), "answerVote").response.granted).toBe(false);
  });

  test("a restart with the vote that was saved refuses the second candidate of the term", () => {
    const before = new TestEngine();
    const out = before.voteRequest(2, 4, id(0, 0));
    const saved = only(out, "saveVote").at(-1);
    expect(the(out, "answerVote").afterIo).toBe(saved?.ioSeq);
    const after = new TestEngine({ vote: saved?.vote ?? {} });
    expect(the(after.voteRequest(3, 4, id(9, 9)), "answerVote").response.granted).toBe(false);
    expect(the(after.voteRequest(2, 4, id(0, 0)), "answerVote").response.granted).toBe(true);
  });
});

describe("append completions out of order across terms: progress neither lost nor invented", () => {
  test("an old append that completes after its entries were replaced makes only the shared prefix durable", () => {
    const node = new TestEngine({ vote: { term: 1 } });
    node.append({ term: 1, prevLogId: id(0, 0), entries: entries(1, 1, 1, 1) });
    const oldIo = node.state.io.issued;
    node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1), entries: entries(2, 2, 2, 2), leaderCommit: 4 });
    expect(node.state.committed.index).toBe(4);
    expect(node.persist(oldIo)).toEqual([{ type: "apply", since: 1, upto: 1 }]);
    expect(node.persist()).toEqual([{ type: "apply", since: 2, upto: 4 }]);
  });

  test("a leader that replaced its entries as a follower does not count their old writes for its own", () => {
    const node = new TestEngine({ membership: voters(1, 2), vote: { term: 1 } });
    node.append({ term: 1, prevLogId: id(0, 0), entries: entries(1, 1, 1) });
    const oldIo = node.state.io.issued;
    node.append({ term: 2, prevLogId: id(1, 1), entries: entries(2, 2) });
    node.step({ type: "elect" });
    node.voteResponse(2, 3, true);
    node.persist(oldIo);
    expect(node.state.io.durableIndex).toBe(1);
  });
});

describe("a single-node cluster acknowledges only after its own sync", () => {
  test("nothing is committed or applied before the write is durable", () => {
    const node = elected({ membership: voters(1) });
    expect(node.write("a").map(({ type }) => type)).toEqual(["append", "acceptWrites"]);
    expect(node.state.committed.index).toBe(1);
    expect(node.persist().map(({ type }) => type)).toEqual(["saveCommitted", "apply"]);
  });

  test("also when it leads learners that are faster", () => {
    const node = elected({ membership: memberships([[1]], 3) });
    const out = node.write("a");
    node.accept(sentTo(out, 2));
    node.accept(sentTo(out, 3));
    expect(node.state.committed.index).toBe(1);
  });
});

describe("stale, reordered or repeated appends never truncate committed entries; a purged predecessor is no conflict", () => {
  const sound = { purged: id(1, 2), terms: [1, 1, 2, 2, 2], committed: 6, vote: { term: 2 } } as const;
  const leaderLog = entries(1, 1, 1, 1, 1, 2, 2, 2);

  test("any part of the leader's log, again, in any order, changes nothing", () => {
    const part = fc.tuple(fc.nat(7), fc.nat(7), fc.nat(9));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const node = new TestEngine(sound);
        for (const [first, last, leaderCommit] of parts) {
          const prevLogId = first === 0 ? id(0, 0) : (leaderLog[first - 1]?.logId ?? id(0, 0));
          const out = node.append({
            term: 2,
            prevLogId,
            entries: leaderLog.slice(first, Math.max(first, last)),
            leaderCommit,
          });
          expect(only(out, "truncate")).toEqual([]);
          expect(the(out, "answerAppendEntries").response.type).toBe("success");
          expect(node.state.log.last).toEqual(id(2, 7));
          expect(node.state.committed.index).toBeGreaterThanOrEqual(6);
        }
      }),
    );
  });

  test("a leader of an earlier term cannot make it truncate", () => {
    const node = new TestEngine(sound);
    const out = node.append({ term: 1, leaderId: 3, prevLogId: id(1, 4), entries: entries(5, 1) });
    expect(only(out, "truncate")).toEqual([]);
    expect(the(out, "answerAppendEntries").response).toEqual({ type: "refused", term: 2 });
  });
});

describe("an idle cluster: an empty append to a lagging follower finds the conflict and repairs it; a commit beyond its log is clamped", () => {
  test("the follower's side", () => {
    const node = new TestEngine({ terms: [1, 1], vote: { term: 2 } });
    const beat = node.append({ term: 2, prevLogId: id(2, 5), leaderCommit: 5 });
    expect(the(beat, "answerAppendEntries").response).toEqual({ type: "conflict", term: 2, hint: id(1, 2) });
    expect(node.state.committed.index).toBe(0);
    node.append({ term: 2, prevLogId: id(1, 1), leaderCommit: 5 });
    expect(node.state.committed.index).toBe(1);
    node.append({ term: 2, prevLogId: id(1, 2), entries: entries(3, 2, 2, 2), leaderCommit: 5 });
    expect(node.state.committed).toEqual(id(2, 5));
  });

  test("the leader's side: nobody writes, and the follower is repaired by heartbeats alone", () => {
    const { node, won } = elect({ terms: [1, 1, 1] });
    for (const peer of [2, 3]) node.fail(sentTo(won, peer));
    const beat = sentTo(node.pass(50), 2);
    const repair = sentTo(node.answer(beat, { type: "conflict", hint: id(1, 1) }), 2);
    expect(repair).toMatchObject({ prevLogId: id(1, 1), upto: 4 });
    node.accept(repair);
    expect(node.progress(2).matchIndex).toBe(4);
  });
});

describe("an acknowledgement that arrives after the log went back is ignored", () => {
  test("what a deposed leader was told does not count when it leads again, over other entries at the same indexes", () => {
    const node = elected();
    const old = node.write("a", "b");
    node.append({ term: 2, leaderId: 3, prevLogId: id(1, 1), entries: entries(2, 2) });
    node.step({ type: "elect" });
    node.persist();
    node.voteResponse(2, 3, true);
    node.persist();
    for (const peer of [2, 3]) node.accept(sentTo(old, peer));
    expect(node.progress(2).matchIndex).toBe(0);
    expect(node.state.committed.index).toBe(1);
  });

  test("what was sent before a follower turned out to differ does not count afterwards", () => {
    const node = elected();
    const early = sentTo(node.write("a"), 2);
    const late = sentTo(node.write("b"), 2);
    node.answer(late, { type: "conflict", hint: id(1, 1) });
    expect(node.accept(early)).toEqual([]);
    expect(node.progress(2).matchIndex).toBe(1);
  });
});

describe("a refused pre-vote with a higher term is learned from; unreachable is not a grant", () => {
  test("the node goes to that term and asks for the one after it", () => {
    const node = new TestEngine({ vote: { term: 2 } });
    node.pass(300);
    node.preVoteResponse(2, 3, false, 8);
    expect(node.state.vote.term).toBe(8);
    expect(only(node.pass(300), "sendPreVote").map(({ request }) => request.term)).toEqual([9, 9]);
  });

  test("a node that nobody answers never raises its term, however long it is alone", () => {
    const node = new TestEngine({ vote: { term: 2 } });
    for (let i = 0; i < 100; i++) node.pass(300);
    expect(node.state.vote.term).toBe(2);
    expect(node.role).toBe("preCandidate");
  });
});

describe("a config acts when appended, goes back when truncated", () => {
  const joint = memberships([
    [1, 2, 3],
    [3, 4, 5],
  ]);

  test("a leader counts by the new one from the moment it appends it", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 5) });
    const out = node.step({ type: "clientWrite", payloads: [{ type: "membership", membership: joint }] });
    node.persist();
    node.accept(sentTo(out, 2));
    expect(node.state.committed.index).toBe(1);
    node.accept(sentTo(out, 3));
    expect(node.state.committed.index).toBe(1);
    node.accept(sentTo(out, 4));
    expect(node.state.committed.index).toBe(2);
  });

  test("a candidate needs both majorities of one that it has appended, committed or not", () => {
    const node = new TestEngine({ membership: memberships([[1, 2, 3]], 5), vote: { term: 1 } });
    node.append({ term: 1, prevLogId: id(0, 0), entries: [membershipEntry(id(1, 1), joint)] });
    node.step({ type: "elect" });
    node.persist();
    node.voteResponse(2, 2, true);
    expect(node.role).toBe("candidate");
    node.voteResponse(3, 2, true);
    expect(node.role).toBe("candidate");
    node.voteResponse(5, 2, true);
    expect(node.role).toBe("leader");
  });

  test("after its truncation the old majority is enough again", () => {
    const node = new TestEngine({ membership: memberships([[1, 2, 3]], 5), vote: { term: 1 } });
    node.append({ term: 1, prevLogId: id(0, 0), entries: [membershipEntry(id(1, 1), joint)] });
    node.append({ term: 2, leaderId: 3, prevLogId: id(0, 0), entries: entries(1, 2) });
    node.step({ type: "elect" });
    node.persist();
    node.voteResponse(2, 3, true);
    expect(node.role).toBe("leader");
  });

  test("a joint config found at a restart is not left by itself: it still needs both majorities", () => {
    const { node } = elect({ membership: joint, terms: [1], vote: { term: 1 } });
    node.persist();
    expect(node.state.memberships.at(-1)?.membership).toEqual(joint);
    expect(node.state.committed.index).toBe(0);
  });

  test("one that is committed survives two compactions", () => {
    const node = elected({ membership: voters(1) });
    const membership = memberships([[1]], 2);
    node.write("a");
    node.step({ type: "clientWrite", payloads: [{ type: "membership", membership }] });
    for (const end of [3, 5]) {
      node.settle();
      node.step({ type: "takeSnapshot", requestId: end });
      node.step({ type: "snapshotBuilt", lastLogId: id(1, end) });
      expect(node.state.log.purged).toEqual(id(1, end));
      node.write("b", "c");
    }
    expect(node.state.memberships).toEqual([{ logId: id(1, 3), membership }]);
  });
});

describe("electing the current leader is a no-op", () => {
  test("it keeps its term, its followers and its reads", () => {
    const node = elected();
    node.read(7);
    const { role, vote } = node.state;
    expect(node.step({ type: "elect" })).toEqual([]);
    expect(node.state.role).toBe(role);
    expect(node.state.vote).toEqual(vote);
    expect(node.leader.reads).toHaveLength(1);
  });
});

describe("applied never exceeds committed after a restart", () => {
  test("what is in the log and not known to be committed waits for a leader", () => {
    const node = new TestEngine({ terms: [1, 1, 1, 1], applied: 1, committed: 2 });
    expect(node.engine.resume()).toEqual([{ type: "apply", since: 2, upto: 2 }]);
    expect(node.state.dispatchedIndex).toBe(2);
    const out = node.append({ term: 1, prevLogId: id(1, 4), leaderCommit: 3 });
    expect(the(out, "apply")).toEqual({ type: "apply", since: 3, upto: 3 });
  });

  test("a sole voter that restarts applies its log only once its own blank entry is durable", () => {
    const node = new TestEngine({ membership: voters(1), terms: [1, 1, 1], applied: 1, vote: { term: 1 } });
    expect(node.engine.resume()).toEqual([]);
    node.pass(0);
    expect(only(node.persist(), "apply")).toEqual([]);
    expect(the(node.persist(), "apply")).toEqual({ type: "apply", since: 2, upto: 4 });
  });
});
