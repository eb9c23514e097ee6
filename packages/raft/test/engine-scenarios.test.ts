import type { NodeId } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command, SendAppendEntriesCommand } from "../src/engine/command.js";
import { TimedCluster } from "./cluster/timed-cluster.js";
import {
  TestEngine,
  elect,
  elected,
  entries,
  flow,
  id,
  members,
  membershipEntry,
  memberships,
  newNode,
  only,
  sentTo,
  snapshotMeta,
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
  test("without answers they are never served, and refused within the longest election timeout, as the next ones are", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    let out = [...node.read(7), ...node.pass(10)];
    const said: Command[] = [...out];
    for (const peer of [3, 4, 5]) node.fail(sentTo(out, peer));
    for (let waited = 0; waited < 300; waited += 50) {
      said.push(...node.accept(sentTo(out, 2)));
      out = node.pass(50);
      said.push(...out);
    }
    expect(only(said, "readReady")).toEqual([]);
    expect(the(said, "refuseReads")).toMatchObject({ requestId: 7, refusal: { code: "quorumNotEnough" } });
    for (const policy of ["readIndex", "lease"] as const) {
      expect(the(node.read(8, policy), "refuseReads").refusal).toEqual({ code: "quorumNotEnough" });
    }
  });

  test("once a later term is seen they are refused, without an answer to them", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const out = node.read(7);
    expect(only(node.accept(sentTo(out, 2)), "readReady")).toEqual([]);
    const deposed = node.answer(sentTo(out, 3), { type: "refused", term: 2 });
    expect(only(deposed, "readReady")).toEqual([]);
    expect(the(deposed, "refuseReads")).toMatchObject({ requestId: 7, refusal: { code: "notLeader" } });
  });

  test("a lease ends before the majority elects another", () => {
    const cluster = new TimedCluster({ nodes: 5, config: { leaseMs: 140 } });
    cluster.run(1000);
    const [old] = cluster.leaders();
    if (old === undefined) throw new Error("nobody leads");
    const { leaseReads } = cluster.oracle;
    old.read("lease");
    expect(cluster.oracle.leaseReads).toBe(leaseReads + 1);
    const others = cluster.nodes().filter((node) => node !== old);
    for (const { id } of others.slice(1)) cluster.cut(old.id, id);
    expect(cluster.runUntil(() => cluster.leaders().some((node) => node !== old), 2000)).toBe(true);
    const before = cluster.oracle.readsServed;
    old.read("lease");
    expect(cluster.oracle.readsServed).toBe(before);
  });
});

describe("late or repeated confirmations of an older read are not counted", () => {
  test("a quorum that confirmed the first read has not confirmed the second", () => {
    const node = elected({ membership: voters(1, 2, 3, 4, 5) });
    const first = [...node.read(7), ...node.pass(10)];
    node.accept(sentTo(first, 2));
    const second = node.read(8);
    expect(only(second, "sendAppendEntries").map(({ to }) => to)).toEqual([2]);
    second.push(...node.accept(sentTo(first, 3)));
    expect(only(second, "readReady").map(({ requestId }) => requestId)).toEqual([7]);
    for (const peer of [2, 3, 4, 5]) {
      const late = node.accept(sentTo(first, peer));
      expect(only(late, "readReady")).toEqual([]);
      second.push(...late);
    }
    node.accept(sentTo(second, 2));
    expect(only(node.accept(sentTo(second, 2)), "readReady")).toEqual([]);
    expect(only(node.accept(sentTo(second, 3)), "readReady").map(({ requestId }) => requestId)).toEqual([8]);
  });

  test("confirmations of an earlier leadership of the same node do not confirm reads of the next", () => {
    const node = elected();
    const old = [...node.read(7), ...node.pass(10)];
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

describe("a read during a transfer is safe", () => {
  test("whoever is asked to take over may lead at any time, so only a quorum's answers serve it, and not once it leads", () => {
    const node = elected({ config: { leaseMs: 140 } });
    node.transferLeader(7, 3);
    const served = node.read(8, "lease");
    expect(only(served, "readReady")).toEqual([]);
    expect(only(node.accept(sentTo(served, 2)), "readReady")).toHaveLength(1);
    const late = node.read(9, "lease");
    node.voteRequest(3, 2, id(1, 1), true);
    expect(only(node.accept(sentTo(late, 2)), "readReady")).toEqual([]);
    expect(the(node.read(10, "lease"), "refuseReads").refusal).toEqual({ code: "notLeader", leaderId: null });
  });

  test("a follower that hears the old leader confirms no read of it after it has voted for the new one", () => {
    const follower = new TestEngine({ id: 2, terms: [1], vote: { term: 1 } });
    follower.append({ term: 1, leaderId: 1, prevLogId: id(1, 1) });
    expect(the(follower.voteRequest(3, 2, id(1, 1), true), "answerVote").response.granted).toBe(true);
    const out = follower.append({ term: 1, leaderId: 1, prevLogId: id(1, 1) });
    expect(the(out, "answerAppendEntries").response).toEqual({ type: "refused", term: 2 });
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

describe("a crash between term write and log write never leaves log without term", () => {
  test("whatever part of the writes of a step was done, on a leader and on a follower", () => {
    const { node, won } = elect({ terms: [1, 1] });
    const follower = new TestEngine({ terms: [1, 1, 1], vote: { term: 1 } });
    const followed = follower.append({ term: 4, prevLogId: id(1, 2), entries: entries(3, 4, 4) });
    for (const [start, out] of [
      [node, won],
      [follower, followed],
    ] as const) {
      expect(only(out, "append")).toHaveLength(1);
      let term = out === won ? start.state.vote.term : 1;
      for (const command of out) {
        if (command.type === "saveVote") term = command.vote.term;
        if (command.type === "append") {
          for (const { logId } of command.entries) expect(logId.term).toBeLessThanOrEqual(term);
        }
      }
    }
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

describe("the leader's write fails after it replicated: index and term are never reused", () => {
  test("after the restart it leads in a later term, so the same index holds another entry", () => {
    const before = elected();
    const lost = the(before.write("lost"), "append").entries[0];
    expect(lost?.logId).toEqual(id(1, 2));
    // The disk has the vote and the log up to index 1; a follower may have the entry.
    const after = elect({ terms: [1], vote: before.state.vote });
    expect(after.term).toBe(2);
    expect(the(after.won, "append").entries[0]?.logId).toEqual(id(2, 2));
  });

  test("nor does it follow another leader of the term that it led itself", () => {
    const after = new TestEngine({ terms: [1], vote: elected().state.vote });
    expect(after.role).toBe("follower");
    const out = after.append({ term: 1, leaderId: 3, prevLogId: id(1, 1) });
    expect(the(out, "answerAppendEntries").response).toEqual({ type: "refused", term: 1 });
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

describe("no membership change before an own-term commit; a recovered joint config commits before it is left", () => {
  const joint = memberships(
    [
      [1, 2, 3],
      [1, 4, 5],
    ],
    5,
    { leaving: [2, 3] },
  );

  test("whatever is asked of a new leader, its first entry is the blank one, and the next comes after its commit", () => {
    const { node, won } = elect({ terms: [1, 1] });
    const asked = node.change(7, { type: "removeVoters", ids: [3] });
    expect(only(asked, "append")).toEqual([]);
    node.persist();
    expect(node.state.log.last).toEqual(id(2, 3));
    expect(the(node.accept(sentTo(won, 2)), "append").entries).toMatchObject([{ logId: id(2, 4) }]);
    expect(node.state.committed).toEqual(id(2, 3));
  });

  test("a joint config that was committed long ago is left only after the new leader's own entry is committed by both sets", () => {
    const { node, won } = elect({ membership: joint, terms: [1, 1], committed: 2, vote: { term: 1 } });
    node.persist();
    node.accept(sentTo(won, 2));
    expect(only(node.accept(sentTo(won, 3)), "append")).toEqual([]);
    const left = the(node.accept(sentTo(won, 4)), "append").entries[0]?.payload;
    expect(left).toMatchObject({ type: "membership", membership: { configs: [[1, 4, 5]], leaving: [] } });
  });
});

describe("a joint config whose last entry only outgoing voters have can still be left", () => {
  const joint = memberships([[1], [3]], 3, { leaving: [1] });

  test("the outgoing voter stands for that, without a vote of its own, and is done when it is committed", () => {
    const node = new TestEngine({
      terms: [1, 1, 1],
      committed: 2,
      memberships: [
        { logId: id(1, 2), membership: joint },
        { logId: id(1, 3), membership: members(3) },
      ],
    });
    expect(node.role).toBe("follower");
    expect(only(node.pass(300), "sendPreVote").map(({ to }) => to)).toEqual([3]);
    expect(node.role).toBe("preCandidate");
    node.preVoteResponse(3, 2, true);
    node.persist();
    expect(node.role).toBe("candidate");
    const won = node.voteResponse(3, 2, true);
    expect(node.role).toBe("leader");
    node.persist();
    expect(node.state.committed.index).toBe(2);
    const out = node.answer(sentTo(won, 3), { type: "conflict", hint: id(1, 2) });
    const done = node.accept(sentTo(out, 3));
    expect(node.state.committed.index).toBe(4);
    expect(the(done, "sendTimeoutNow").to).toBe(3);
    expect(node.role).toBe("learner");
  });

  test("the incoming voter cannot be elected without it, and votes for it", () => {
    const node = new TestEngine({
      id: 3,
      terms: [1, 1],
      committed: 2,
      memberships: [{ logId: id(1, 2), membership: joint }],
    });
    expect(only(node.pass(300), "sendPreVote").map(({ to }) => to)).toEqual([1]);
    expect(node.role).toBe("preCandidate");
    expect(the(node.voteRequest(1, 2, id(1, 3)), "answerVote").response.granted).toBe(true);
  });
});

describe("a reused id or an erased disk cannot make a second quorum", () => {
  const incarnations = new Map([1, 2, 3].map((each): [NodeId, number] => [each, 10 + each]));
  const membership = memberships([[1, 2, 3]], 3, { incarnations });

  test("what an erased voter acknowledges commits nothing", () => {
    const node = elected({ membership, incarnation: 11 });
    const out = node.write("a");
    node.persist();
    node.accept(sentTo(out, 2), 99);
    expect(node.state.committed.index).toBe(1);
    node.accept(sentTo(out, 3), 13);
    expect(node.state.committed.index).toBe(2);
  });

  test("nor does it confirm reads, or keep a leader in office", () => {
    const node = elected({ membership, incarnation: 11 });
    const out = node.read(7);
    expect(only(node.accept(sentTo(out, 2), 99), "readReady")).toEqual([]);
    for (let i = 0; i < 6; i++) {
      for (const beat of only(node.pass(50), "sendAppendEntries")) if (beat.to === 2) node.accept(beat, 99);
    }
    expect(node.role).toBe("follower");
  });

  test("an erased node that gets the log again is a learner, and stays one until it is removed and added again", () => {
    const node = newNode({ id: 3, incarnation: 99 });
    node.append({
      term: 1,
      leaderId: 1,
      prevLogId: id(0, 0),
      entries: [membershipEntry(id(1, 1), membership)],
    });
    expect(node.role).toBe("learner");
    expect(node.pass(10_000)).toEqual([]);
    expect(node.step({ type: "elect" })).toEqual([]);
    const again = memberships([[1, 2, 3]], 3, { incarnations: new Map([...incarnations, [3, 99]]) });
    const history = [members(1, 2), memberships([[1, 2]], 3), again].map((each, i) =>
      membershipEntry(id(1, i + 2), each),
    );
    node.append({ term: 1, leaderId: 1, prevLogId: id(1, 1), entries: history.slice(0, 2) });
    expect(node.role).toBe("learner");
    // From the entry on that names its new store it may be the only one that can win, although it does not know that to be committed.
    node.append({ term: 1, leaderId: 1, prevLogId: id(1, 3), entries: history.slice(2) });
    expect(node.state.committed.index).toBe(0);
    expect(node.role).toBe("follower");
    // Taken back, it is no voter again.
    node.append({
      term: 2,
      leaderId: 2,
      prevLogId: id(1, 3),
      entries: [membershipEntry(id(2, 4), memberships([[1, 2]], 3))],
    });
    expect(node.role).toBe("learner");
  });

  test("a node that was removed and comes back empty under its id is probed from the start, and counts only as what it is now", () => {
    const node = elected({ membership, incarnation: 11 });
    const store = (peer: NodeId): number => 10 + peer;
    flow(node, node.change(7, { type: "removeVoters", ids: [3] }), () => true, store);
    expect(node.leader.progress.has(3)).toBe(false);
    const added = node.change(8, { type: "addNodes", nodes: [[3, { addr: "n3" }]] });
    expect(node.progress(3)).toMatchObject({ matchIndex: 0, incarnation: 0 });
    flow(node, added, (peer) => peer === 2, store);
    const back = sentTo(node.answer(sentTo(added, 3), { type: "conflict", hint: id(0, 0) }, 99), 3);
    expect(back.prevLogId).toEqual(id(0, 0));
    flow(
      node,
      [back],
      () => true,
      () => 99,
    );
    const done = flow(
      node,
      node.change(9, { type: "addVoters", ids: [3] }),
      () => true,
      (peer) => (peer === 3 ? 99 : store(peer)),
    );
    const changed = the(done, "membershipChanged").membership;
    expect([...changed.incarnations]).toEqual([
      [1, 11],
      [2, 12],
      [3, 99],
    ]);
  });
});

describe("a crash at every step of a snapshot install; a snapshot older than or against what is committed is refused", () => {
  const meta = snapshotMeta(id(3, 9), voters(1, 2, 3), id(1, 1));

  test("what is durable after each step can be started from, and comes to the same", () => {
    const node = new TestEngine({ terms: Array<number>(12).fill(2), vote: { term: 2 } });
    const out = [...node.snapshotReceived(meta, 7)];
    const before = the(out, "installSnapshot").afterIo;
    expect(the(out, "saveVote").ioSeq).toBe(before);
    const after = node.snapshotInstalled(meta);
    expect(after.map(({ type }) => type)).toEqual(["truncate", "purge", "saveCommitted", "reply"]);
    expect(the(after, "reply").afterIo).toBe(the(after, "purge").ioSeq);
    // Installed or not: the vote is no earlier than anything that the state machine holds.
    for (const start of [
      { terms: Array<number>(12).fill(2), vote: node.state.vote },
      { terms: [], purged: id(3, 9), vote: node.state.vote },
    ]) {
      const again = new TestEngine(start);
      if (start.terms.length > 0) {
        again.snapshotReceived(meta);
        again.snapshotInstalled(meta);
      }
      expect(again.state.log.last).toEqual(id(3, 9));
      expect(again.state.applied).toEqual(id(3, 9));
      const next = again.append({ term: 3, prevLogId: id(3, 9), entries: entries(10, 3), leaderCommit: 10 });
      expect(the(next, "answerAppendEntries").response).toMatchObject({ type: "success", matchIndex: 10 });
      expect(the(again.persist(), "apply")).toEqual({ type: "apply", since: 10, upto: 10 });
    }
  });

  test("one that was needed when it was begun, and is not when it has come, is dropped", () => {
    const node = new TestEngine({ terms: [1], vote: { term: 3 } });
    expect(only(node.installSnapshot(3, meta), "receiveSnapshot")).toHaveLength(1);
    node.append({
      term: 3,
      prevLogId: id(1, 1),
      entries: entries(2, 1, 1, 1, 1, 1, 3, 3, 3),
      leaderCommit: 9,
    });
    expect(node.snapshotReceived(meta)).toEqual([{ type: "dropSnapshot" }]);
    expect(node.state.log.last).toEqual(id(3, 9));
    expect(the(node.installSnapshot(3, meta), "answerInstallSnapshot").response.type).toBe("installed");
  });

  test("one that contradicts what is committed is refused", () => {
    const node = new TestEngine({ terms: [1, 3], committed: 2, vote: { term: 3 } });
    const against = snapshotMeta(id(2, 9));
    expect(the(node.snapshotReceived(against, 7), "reply").refusal).toEqual({
      code: "snapshotOutdated",
      snapshot: id(2, 9),
      committed: id(3, 2),
    });
  });

  test("old parts, and old snapshots, that arrive late change nothing", () => {
    const node = new TestEngine({ terms: [1], vote: { term: 3 } });
    node.snapshotReceived(meta);
    node.snapshotInstalled(meta);
    const { log, applied } = node.state;
    for (const late of [snapshotMeta(id(1, 4)), snapshotMeta(id(3, 8)), meta]) {
      expect(the(node.installSnapshot(3, late), "answerInstallSnapshot").response.type).toBe("installed");
      expect(node.snapshotReceived(late)).toEqual([{ type: "dropSnapshot" }]);
    }
    expect([log.last, node.state.applied]).toEqual([id(3, 9), applied]);
    const out = node.append({ term: 3, prevLogId: id(1, 1), entries: entries(2, 1, 1, 1), leaderCommit: 4 });
    expect(only(out, "truncate")).toEqual([]);
    expect(the(out, "answerAppendEntries").response).toMatchObject({ type: "success", matchIndex: 4 });
  });
});

describe("a snapshot trigger during a build, and a follower behind a fully purged log, both converge", () => {
  test("every trigger is answered by a snapshot of what was applied when it came", () => {
    const node = elected({ membership: voters(1) });
    const said: Command[] = [...node.step({ type: "takeSnapshot", requestId: 1 })];
    flow(node, node.write("a"));
    said.push(...node.step({ type: "takeSnapshot", requestId: 2 }));
    said.push(...node.step({ type: "snapshotBuilt", lastLogId: id(1, 1) }));
    flow(node, node.write("b"));
    said.push(...node.step({ type: "takeSnapshot", requestId: 3 }));
    said.push(...node.step({ type: "snapshotBuilt", lastLogId: id(1, 2) }));
    said.push(...node.step({ type: "snapshotBuilt", lastLogId: id(1, 3) }));
    expect(only(said, "snapshotReady").map(({ requestId }) => requestId)).toEqual([1, 2, 3]);
    expect(only(said, "buildSnapshot")).toHaveLength(3);
    expect(node.state.snapshot).toMatchObject({ building: false, requests: [] });
  });

  test("the follower gets the snapshot, then the entries after it, and is told what is committed", () => {
    const leader = elected();
    const lost = leader.write("a");
    flow(leader, lost, (peer) => peer === 2);
    leader.step({ type: "takeSnapshot", requestId: 1 });
    leader.step({ type: "snapshotBuilt", lastLogId: leader.state.applied });
    expect(leader.state.log.purged).toEqual(leader.state.log.last);
    leader.fail(sentTo(lost, 3));
    const follower = new TestEngine({ id: 3, terms: [1], vote: { term: 1 } });
    const sent = the(leader.pass(50), "sendSnapshot");
    const meta = snapshotMeta(leader.state.snapshot.lastLogId);
    expect(only(follower.installSnapshot(sent.term, meta, 1), "receiveSnapshot")).toHaveLength(1);
    follower.snapshotReceived(meta);
    follower.snapshotInstalled(meta);
    expect(the(follower.installSnapshot(sent.term, meta, 1), "answerInstallSnapshot").response.type).toBe(
      "installed",
    );
    leader.write("b");
    const next = sentTo(leader.snapshotDone(sent, meta.lastLogId), 3);
    const out = follower.append({
      term: 1,
      leaderId: 1,
      prevLogId: next.prevLogId,
      entries: entries(3, 1),
      leaderCommit: next.leaderCommit,
    });
    expect(the(out, "answerAppendEntries").response).toMatchObject({ type: "success", matchIndex: 3 });
    expect(follower.state.applied).toEqual(id(1, 2));
  });
});

describe("a dead voter added to a cluster of one, two or three is refused or survivable", () => {
  const sizes = [[1], [1, 2], [1, 2, 3]];

  test.each(sizes)("refused, unless somebody insists", (...ids) => {
    const dead = ids.length + 1;
    const node = elected({ membership: memberships([ids], ids.length) });
    flow(
      node,
      node.change(6, { type: "addNodes", nodes: [[dead, { addr: "dead" }]] }),
      (peer) => peer !== dead,
    );
    expect(the(node.change(7, { type: "addVoters", ids: [dead] }), "reply").refusal).toMatchObject({
      code: "learnerLagging",
      nodeId: dead,
    });
    expect(flow(node, node.write("a"), (peer) => peer !== dead).length).toBeGreaterThan(0);
    expect(node.state.committed).toEqual(node.state.log.last);
  });

  test.each([
    [1, 2],
    [1, 2, 3],
  ])("survived where a majority is left with it: writes go on, and it can be removed again", (...ids) => {
    const dead = ids.length + 1;
    const alive = (peer: NodeId): boolean => peer !== dead;
    const node = elected({ membership: memberships([ids], dead) });
    flow(node, node.change(7, { type: "addVoters", ids: [dead] }, { allowLagging: true }), alive);
    for (let waited = 0; waited < 1000; waited += 50) flow(node, node.pass(50), alive);
    expect(node.role).toBe("leader");
    flow(node, node.write("a"), alive);
    expect(node.state.committed).toEqual(node.state.log.last);
    const done = flow(node, node.change(8, { type: "removeVoters", ids: [dead] }), alive);
    expect(the(done, "membershipChanged").membership).toEqual(members(...ids));
  });

  test("beside a cluster of one it takes the quorum with it, which is said: nothing more is served, and nothing lost", () => {
    const node = elected({ membership: memberships([[1]], 2) });
    const said = flow(
      node,
      node.change(7, { type: "addVoters", ids: [2] }, { allowLagging: true }),
      () => false,
    );
    said.push(...node.pass(300));
    expect(only(said, "abandonChange")).toEqual([{ type: "abandonChange", requestId: 7 }]);
    expect(the(node.write("a"), "refuseWrites").refusal).toEqual({ code: "quorumNotEnough" });
    // Once the other lives they elect a leader, and the change is finished.
    node.pass(300);
    node.preVoteResponse(2, 2, true);
    node.persist();
    const won = node.voteResponse(2, 2, true);
    const back = node.answer(sentTo(won, 2), { type: "conflict", hint: id(0, 0) });
    flow(node, back);
    expect(node.state.memberships.map(({ membership }) => membership.configs)).toEqual([[[1, 2]]]);
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

describe("every pending write settles once after step-down, truncation, purge or snapshot", () => {
  test("what was committed is applied, the rest has an unknown outcome, and neither is said again", () => {
    const node = elected();
    const out = [...node.write("a"), ...node.write("b")];
    node.accept(only(out, "sendAppendEntries").find(({ to }) => to === 2) as SendAppendEntriesCommand);
    const said: Command[] = [...node.persist(node.state.io.issued - 1)];
    said.push(
      ...node.append({ term: 2, leaderId: 3, prevLogId: id(1, 2), entries: entries(3, 2), leaderCommit: 3 }),
    );
    said.push(...node.persist());
    node.settle();
    said.push(...node.step({ type: "takeSnapshot", requestId: 1 }));
    said.push(...node.step({ type: "snapshotBuilt", lastLogId: id(2, 3) }));
    said.push(...node.append({ term: 4, leaderId: 2, prevLogId: id(2, 3) }));
    expect(only(said, "abandonWrites")).toEqual([{ type: "abandonWrites", since: 3 }]);
    expect(only(said, "purge")).toHaveLength(1);
    const applied = only(said, "apply").flatMap(({ since, upto }) =>
      Array.from({ length: upto - since + 1 }, (_, i) => since + i),
    );
    expect(applied).toEqual([2, 3]);
  });
});

describe("every pending request settles once when a snapshot or a new leader comes in its way", () => {
  test("writes, reads, a change, a transfer and a request for a snapshot", () => {
    const node = elected({ membership: memberships([[1, 2, 3]], 4) });
    const said: Command[] = [
      ...node.write("a"),
      ...node.read(10),
      ...node.change(11, { type: "addNodes", nodes: [[5, { addr: "n5" }]] }),
      ...node.transferLeader(12, 3, 5000),
      ...node.step({ type: "takeSnapshot", requestId: 13 }),
    ];
    const meta = snapshotMeta(id(2, 9), voters(1, 2, 3), id(2, 8));
    said.push(
      ...node.installSnapshot(2, meta, 3),
      ...node.snapshotReceived(meta),
      ...node.snapshotInstalled(meta),
    );
    said.push(...node.step({ type: "snapshotBuilt", lastLogId: id(1, 1) }), ...node.pass(10_000));
    said.push(...node.append({ term: 9, leaderId: 2, prevLogId: id(2, 9) }));
    expect(only(said, "abandonWrites")).toEqual([{ type: "abandonWrites", since: 2 }]);
    expect(only(said, "refuseReads").map(({ requestId }) => requestId)).toEqual([10]);
    expect(only(said, "abandonChange")).toEqual([{ type: "abandonChange", requestId: 11 }]);
    expect(only(said, "reply")).toEqual([{ type: "reply", requestId: 12, refusal: null, afterIo: 0 }]);
    expect(only(said, "snapshotReady").map(({ requestId }) => requestId)).toEqual([13]);
  });
});

describe("a heartbeat cannot cause a false log reversion", () => {
  test("one that was sent while probing and is denied late leaves what was found to match since", () => {
    const { node, won } = elect({ terms: [1, 1, 1] });
    const beat = sentTo(node.pass(50), 2);
    node.accept(sentTo(won, 2));
    node.write("a");
    node.answer(beat, { type: "conflict", hint: id(1, 1) });
    expect(node.progress(2).matchIndex).toBe(4);
    node.now += 20;
    expect(sentTo(node.write("b"), 2)).toMatchObject({ prevLogId: id(2, 4), upto: 6 });
  });

  test("one to a pipelined follower names only what it is known to have, so it is never denied", () => {
    const leader = elected();
    const follower = new TestEngine({ id: 2, terms: [1], vote: { term: 1 } });
    leader.write("a");
    leader.write("b");
    const { prevLogId, leaderCommit } = sentTo(leader.pass(50), 2);
    const out = follower.append({ term: 1, leaderId: 1, prevLogId, leaderCommit });
    expect(the(out, "answerAppendEntries").response.type).toBe("success");
    leader.answer(sentTo(leader.pass(50), 2), { type: "success", matchIndex: prevLogId.index });
    expect(leader.progress(2)).toMatchObject({ matchIndex: 1, nextIndex: 4, inFlightData: 2 });
  });

  test("one that names an older entry takes nothing from a follower that is further", () => {
    const node = new TestEngine({ terms: [1, 1, 1], vote: { term: 1 } });
    const out = node.append({ term: 1, prevLogId: id(1, 1), leaderCommit: 3 });
    expect(only(out, "truncate")).toEqual([]);
    expect(node.state.log.last).toEqual(id(1, 3));
    expect(node.state.committed.index).toBe(1);
  });
});

describe("a hung follower does not block the leader or a membership change", () => {
  test("writes, reads and a change of members go on with the others, and what waits for it is bounded", () => {
    const node = elected({ membership: voters(1, 2, 3, 4) });
    const drain = (commands: readonly Command[]): number[] => {
      const ready: number[] = [];
      const { issued, persisted } = node.state.io;
      const pending = [...commands, ...(issued > persisted ? node.persist() : [])];
      for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
        if (next.type === "readReady") ready.push(next.requestId);
        if (next.type === "sendAppendEntries" && next.to !== 4) pending.push(...node.accept(next));
      }
      return ready;
    };
    for (let i = 0; i < 100; i++) {
      node.now += 10;
      drain(node.write("a", "b"));
      expect(node.state.committed).toEqual(node.state.log.last);
      expect(drain([...node.write("c"), ...node.read(i)])).toEqual([i]);
      drain(node.pass(0));
    }
    expect(node.progress(4).inFlightData).toBeLessThanOrEqual(2);
    // One heartbeat for each of the 20 intervals that passed, and one question about reads.
    expect(node.progress(4).inFlight.length).toBeLessThanOrEqual(24);
    drain(node.change(500, { type: "removeVoters", ids: [4] }));
    expect(node.state.committed).toEqual(node.state.log.last);
    expect(node.state.memberships.map(({ membership }) => membership)).toEqual([voters(1, 2, 3)]);
    expect([...node.leader.progress.keys()]).toEqual([2, 3]);
  });
});

describe("a transient state machine re-applies after restart", () => {
  test("everything that was known to be committed, from the beginning, and nothing twice", () => {
    const node = new TestEngine({ terms: [1, 1, 1, 1], applied: 0, committed: 3 });
    expect(node.engine.resume()).toEqual([{ type: "apply", since: 1, upto: 3 }]);
    const out = node.append({ term: 1, prevLogId: id(1, 4), leaderCommit: 4 });
    expect(the(out, "apply")).toEqual({ type: "apply", since: 4, upto: 4 });
  });
});

describe("a restarted learner is a learner", () => {
  test("it does not stand for election, however long it hears nothing", () => {
    const node = new TestEngine({
      id: 4,
      membership: memberships([[1, 2, 3]], 4),
      terms: [1, 1],
      vote: { term: 1 },
    });
    expect(node.engine.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(node.pass(10_000)).toEqual([]);
    expect(node.step({ type: "elect" })).toEqual([]);
    expect(node.role).toBe("learner");
  });
});
