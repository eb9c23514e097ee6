import { expect, test } from "vitest";
import { Dialogue } from "./dialogue/dialogue.js";

/**
 * Dialogues between engines, kept as text under `dialogues/` and read like a script. A change in any of
 * them is a change in what nodes say to each other: read it before accepting it (`vitest -u`).
 */

test("an election with pre-vote", async () => {
  const d = new Dialogue({ 1: 0, 2: 0.5, 3: 0.9 });
  d.note("n1's election timeout passes first; it asks before it disturbs anybody");
  d.tick(1, 150);
  d.note("both would vote for it, so it stands: its own vote has to be durable before it asks");
  d.deliver();
  d.deliver();
  d.persist(1);
  d.note("the others vote, durably");
  d.deliver();
  d.persist(2);
  d.persist(3);
  d.note("one vote is enough; the blank entry goes out");
  d.deliver(({ from }) => from === 2);
  d.note("and everything settles");
  d.settle();
  expect(d.engine(1).state.role.type).toBe("leader");
  await expect(d.text).toMatchFileSnapshot("dialogues/election-with-pre-vote.txt");
});

test("a split vote, and the election after it", async () => {
  const d = new Dialogue({ 1: 0, 2: 0, 3: 0.9, 4: 0.9 }, { switches: { preVote: false } });
  d.note("n1 and n2 stand in the same term");
  d.tick(1, 150);
  d.tick(2, 0);
  d.persist(1);
  d.persist(2);
  d.note("each gets one more vote, of the three that it needs");
  d.deliver(({ from, to }) => (from === 1 && to === 3) || (from === 2 && to === 4));
  d.persist(3);
  d.persist(4);
  d.deliver();
  d.deliver();
  d.deliver();
  d.note("nobody won; n1's next timeout ends first, and the new term is its own");
  d.tick(1, 150);
  d.settle();
  expect(d.engine(1).state.role.type).toBe("leader");
  expect(d.engine(1).state.vote.term).toBe(2);
  await expect(d.text).toMatchFileSnapshot("dialogues/split-vote.txt");
});

/** n1 leads in term 1, everything is settled, and what led there is left out of the text. */
function led(options: ConstructorParameters<typeof Dialogue>[1] = {}): Dialogue {
  const d = new Dialogue({ 1: 0, 2: 0.5, 3: 0.9 }, options);
  d.quietly(() => {
    d.tick(1, 150);
    d.settle();
  });
  return d;
}

test("logs that diverged are repaired (paper figure 7)", async () => {
  // The leader for term 8 and followers (a) to (f) of the figure, every index one higher: index 1 is the founding entry.
  const d = new Dialogue(
    { 1: 0, 2: 0.9, 3: 0.9, 4: 0.9, 5: 0.9, 6: 0.9, 7: 0.9 },
    {
      switches: { preVote: false },
      logs: {
        1: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
        2: [1, 1, 1, 4, 4, 5, 5, 6, 6],
        3: [1, 1, 1, 4],
        4: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        5: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        6: [1, 1, 1, 4, 4, 4, 4],
        7: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
      },
      // n5 (d) led in term 7, with the votes of n2, n3 and n7; the others have heard of that term.
      votes: Object.fromEntries(
        [1, 2, 3, 4, 5, 6, 7].map((id) => [
          id,
          { term: 7, votedFor: [2, 3, 5, 7].includes(id) ? 5 : null, committed: id === 5 },
        ]),
      ),
    },
  );
  d.note("n1 stands for term 8; n4 and n5 have more in their logs and refuse, the others are a majority");
  d.tick(1, 150);
  d.persist(1);
  d.deliver();
  for (const id of [2, 3, 4, 5, 6, 7]) d.persist(id);
  d.deliver();
  expect(d.engine(1).state.role.type).toBe("leader");
  expect(d.engine(1).state.vote.term).toBe(8);
  d.note("each follower says where its log can agree with the leader's: one round trip repairs it, or two");
  d.settle();
  const ranges = d.engine(1).state.log.ranges();
  for (const id of [2, 3, 4, 5, 6, 7]) expect(d.engine(id).state.log.ranges()).toEqual(ranges);
  await expect(d.text).toMatchFileSnapshot("dialogues/figure-7.txt");
});

test("two of three get a write at once, the third a moment later", async () => {
  const d = led({ thriftyDelayMs: 10 });
  d.note("n2 is enough for a quorum");
  d.write(1);
  d.persist(1);
  d.deliver();
  d.persist(2);
  d.deliver();
  d.note("the next one finds n2 gone; after the delay n3 gets both, with the news of the first");
  d.write(1);
  d.persist(1);
  d.lose();
  d.tick(1, 10);
  d.deliver();
  d.persist(3);
  d.deliver();
  d.note("n3 is who gets the third at once");
  d.write(1);
  await expect(d.text).toMatchFileSnapshot("dialogues/thrifty.txt");
});

test("an entry of an earlier term is not committed by counting copies (paper figure 8)", async () => {
  // (b) of the figure, every index one higher: n1 led in term 2 and copied its entry to n2; n5 led in term 3, elected by n3 and n4.
  const d = new Dialogue(
    { 1: 0, 2: 0.9, 3: 0.9, 4: 0.9, 5: 0.1 },
    {
      switches: { preVote: false },
      maxPayloadEntries: 1,
      logs: { 1: [1, 2], 2: [1, 2], 3: [1], 4: [1], 5: [1, 3] },
      votes: {
        1: { term: 3, votedFor: null, committed: false },
        2: { term: 3, votedFor: null, committed: false },
        3: { term: 3, votedFor: 5, committed: false },
        4: { term: 3, votedFor: 5, committed: false },
        5: { term: 3, votedFor: 5, committed: true },
      },
    },
  );
  d.note("(c) n1 is elected for term 4 by n2 and n3");
  d.tick(1, 150);
  d.persist(1);
  d.lose(({ to }) => to > 3);
  d.deliver();
  d.persist(2);
  d.persist(3);
  d.deliver();
  d.persist(1);
  d.note("it reaches only n3, which lacks the entry of term 2, and repairs that");
  d.lose(({ to }) => to !== 3);
  d.deliver();
  d.persist(3);
  d.deliver();
  d.deliver();
  d.persist(3);
  d.deliver();
  d.note(
    "a majority has the entry of term 2 now; it is not committed, because it is not of the leader's own term",
  );
  expect([1, 2, 3].map((id) => d.engine(id).state.log.at(3).term)).toEqual([2, 2, 2]);
  expect(d.engine(1).state.committed.index).toBe(1);
  d.note("(d) n1 crashes; n5 can still be elected, and takes the entry away");
  d.lose();
  d.tick(5, 150);
  d.settle([2, 3, 4, 5]);
  d.tick(5, 200);
  d.settle([2, 3, 4, 5]);
  expect(d.engine(5).state.role.type).toBe("leader");
  expect([2, 3, 4, 5].map((id) => d.engine(id).state.log.at(3).term)).toEqual([3, 3, 3, 3]);
  await expect(d.text).toMatchFileSnapshot("dialogues/figure-8.txt");
});

test("a read confirmed by a round of answers (ReadIndex)", async () => {
  const d = led();
  d.note(
    "a reader comes: one follower makes a quorum with the leader, so one is asked; the next asks the other, for one is asked one thing at a time",
  );
  d.read(1, 1);
  d.read(1, 2);
  d.note("two more come while both are asked");
  d.read(1, 3);
  d.read(1, 4);
  d.note("n2's answer confirms the first read only; n2 is asked about the last two together");
  d.deliver(({ to }) => to === 2);
  d.deliver(({ from }) => from === 2);
  d.deliver(({ to }) => to === 2);
  d.deliver(({ from }) => from === 2);
  await expect(d.text).toMatchFileSnapshot("dialogues/read-index.txt");
});

test("a deposed leader's read is refused", async () => {
  const d = led();
  d.note("n1 is cut off, and the others elect n2");
  d.quietly(() => {
    d.tick(2, 300);
    d.settle([2, 3]);
  });
  d.note("a reader asks n1, which does not know yet: no answer comes, so no value is served");
  d.read(1, 7);
  d.lose();
  d.note("the link is mended; n1 learns of the new leader and refuses what waited");
  d.tick(2, 50);
  d.deliver();
  await expect(d.text).toMatchFileSnapshot("dialogues/deposed-leader-read.txt");
});

test("a pipelined follower that lost a message is repaired", async () => {
  const d = led();
  d.note("three writes in three turns, the second message to n2 is lost");
  d.write(1);
  d.write(1);
  d.write(1);
  let toSecond = 0;
  d.lose(({ to }) => to === 2 && ++toSecond === 2);
  d.deliver();
  d.persist(1);
  d.persist(2);
  d.persist(3);
  d.note("n2 says where its log ends; the leader goes back there");
  d.deliver();
  d.settle();
  for (const id of [2, 3]) expect(d.engine(id).state.log.last).toEqual(d.engine(1).state.log.last);
  await expect(d.text).toMatchFileSnapshot("dialogues/pipeline-repaired.txt");
});

test("a pipelined follower that diverged is repaired", async () => {
  // n1 led in term 1 and wrote two entries that nobody else has; n2 led in term 2, elected by n3, and wrote three of its own.
  const d = new Dialogue(
    { 1: 0, 2: 0.9, 3: 0.9 },
    {
      switches: { preVote: false },
      logs: { 1: [1, 1, 1], 2: [1, 2, 2, 2], 3: [1] },
      votes: {
        1: { term: 2, votedFor: null, committed: false },
        2: { term: 2, votedFor: 2, committed: true },
        3: { term: 2, votedFor: 2, committed: false },
      },
    },
  );
  d.note("n1 is elected for term 3 by n3; n2, whose log is newer, refuses");
  d.tick(1, 150);
  d.persist(1);
  d.deliver();
  d.persist(2);
  d.persist(3);
  d.deliver();
  expect(d.engine(1).state.role.type).toBe("leader");
  d.note("it probes: what is written meanwhile waits until it knows where the logs meet");
  d.write(1);
  d.deliver(({ to }) => to === 2);
  d.persist(2);
  d.deliver(({ from }) => from === 2);
  d.note("from where they meet on, n2 gives up what it has for what n1 has, in one message");
  d.deliver(({ to }) => to === 2);
  d.persist(2);
  d.deliver(({ from }) => from === 2);
  d.note("now n2 is in the pipeline: messages follow each other without waiting for answers");
  d.write(1);
  d.write(1);
  d.settle();
  for (const id of [2, 3]) expect(d.engine(id).state.log.ranges()).toEqual(d.engine(1).state.log.ranges());
  await expect(d.text).toMatchFileSnapshot("dialogues/pipeline-diverged.txt");
});

test("a read by the leader's lease", async () => {
  const d = led({ leaseMs: 140 });
  d.note(
    "the followers have just answered: for 140 ms none of them helps to elect another, so nobody is asked",
  );
  d.read(1, 1, "lease");
  d.note("n1 is cut off. 139 ms after that message was sent it still serves, and n2 would not vote yet");
  d.lose();
  d.now += 139;
  d.read(1, 2, "lease");
  d.quietly(() => d.step(2, { type: "elect" }));
  expect(d.engine(2).state.role.type).toBe("follower");
  d.note("1 ms later it asks, as without a lease, and while nobody answers nothing is served");
  d.now += 1;
  d.read(1, 3, "lease");
  d.lose();
  d.note("300 ms after the last answer it gives up");
  d.tick(1, 160);
  expect(d.engine(1).state.role.type).toBe("follower");
  await expect(d.text).toMatchFileSnapshot("dialogues/lease-read.txt");
});

test("a joint change from {1,2,3} to {3,4,5}, with a leader failure in the middle", async () => {
  const d = new Dialogue({ 1: 0, 2: 0.9, 3: 0, 4: 0.9, 5: 0.9 }, { voters: [1, 2, 3] });
  d.quietly(() => {
    d.tick(1, 150);
    d.settle();
  });
  d.note("n1 leads; n4 and n5 are learners. It appends the joint membership, and counts by it from now on");
  d.change(1, 7, { type: "replaceVoters", ids: [3, 4, 5] });
  d.note("n3, n4 and n5 have it; n2 does not, and n1 fails before it hears of anybody");
  d.deliver(({ to }) => to > 2);
  for (const id of [3, 4, 5]) d.persist(id);
  d.lose();
  d.note(
    "n3 is the first to miss the leader; it needs a majority of each set: n4 is not enough, n2 makes it two of three",
  );
  d.now += 200;
  d.tick(3, 100);
  d.lose(({ to }) => to === 1);
  d.deliver(({ to }) => to === 4);
  d.deliver(({ from }) => from === 4);
  expect(d.engine(3).state.role.type).toBe("preCandidate");
  d.deliver(({ to }) => to === 2);
  d.deliver(({ from }) => from === 2);
  d.lose();
  d.persist(3);
  d.lose(({ to }) => to === 1);
  for (const id of [2, 4, 5]) {
    d.deliver(({ to }) => to === id);
    d.persist(id);
  }
  d.deliver(({ from }) => from === 4);
  d.deliver(({ from }) => from === 5);
  expect(d.engine(3).state.role.type).toBe("candidate");
  d.deliver(({ from }) => from === 2);
  expect(d.engine(3).state.role.type).toBe("leader");
  d.note(
    "its first entry commits the joint membership, so it leaves it, as any leader would; nobody there asked for the change",
  );
  d.settle([2, 3, 4, 5]);
  const { membership } = d.engine(3).state.memberships.at(-1) as { membership: { configs: unknown } };
  expect(membership.configs).toEqual([[3, 4, 5]]);
  expect(d.engine(3).state.committed).toEqual(d.engine(3).state.log.last);
  d.note(
    "n1 comes back, still leading a term that is over. Nobody answers it, so it gives up; what became of the change it cannot say",
  );
  d.now += 200;
  d.tick(3, 50);
  d.settle([3, 4, 5]);
  d.tick(1, 10);
  expect(d.engine(1).state.role.type).toBe("follower");
  d.note(
    "it has not heard that it is no member any more, and asks to be elected. Who hears the leader does not help; n1 learns of the term",
  );
  d.now += 40;
  d.tick(3, 50);
  d.settle([3, 4, 5]);
  d.tick(1, 120);
  d.deliver();
  d.deliver();
  d.note("so it goes on, and disturbs nobody");
  d.tick(3, 30);
  d.settle([3, 4, 5]);
  d.tick(1, 120);
  d.deliver();
  d.deliver();
  expect(d.engine(1).state.role.type).toBe("preCandidate");
  expect(d.engine(3).state.role.type).toBe("leader");
  expect([1, 3].map((id) => d.engine(id).state.vote.term)).toEqual([2, 2]);
  await expect(d.text).toMatchFileSnapshot("dialogues/joint-change.txt");
});

test("a transfer that works", async () => {
  const d = led();
  d.note("n1 is to hand over to n3, which lacks the newest entry: first it gets that, and no write is taken");
  d.write(1);
  d.step(1, { type: "transferLeader", requestId: 7, target: 3, timeoutMs: 500 });
  d.write(1);
  d.deliver(({ to }) => to === 3);
  d.persist(3);
  d.deliver(({ from }) => from === 3);
  d.note(
    "it has all of the log: it is asked to stand at once, and does, without asking who would vote for it",
  );
  d.deliver(({ kind }) => kind === "timeoutNow");
  d.persist(3);
  d.note("n2 has just heard from n1, and votes all the same; so does n1, which steps down by it");
  d.deliver(({ kind }) => kind === "vote");
  d.persist(1);
  d.persist(2);
  d.deliver(({ kind }) => kind === "voteAnswer");
  expect(d.engine(3).state.role.type).toBe("leader");
  d.note("n1 hears from the new leader: the transfer is done");
  d.deliver(({ from, to }) => from === 3 && to === 1);
  d.settle();
  expect(d.engine(1).state.transfer).toBeNull();
  expect(d.engine(1).state.role).toEqual({ type: "follower", leaderId: 3 });
  await expect(d.text).toMatchFileSnapshot("dialogues/transfer.txt");
});

test("a transfer that times out", async () => {
  const d = led({ leaseMs: 140 });
  d.note("n1 is to hand over to n3, which has the whole log; the question does not get there");
  d.step(1, { type: "transferLeader", requestId: 7, target: 3, timeoutMs: 120 });
  d.lose();
  d.step(1, { type: "timeoutNowAnswered", from: 3, requestTerm: 1, term: 0, accepted: false });
  d.note("no write is taken meanwhile, and no read goes by the lease: n3 may be elected at any time");
  d.write(1);
  d.read(1, 1, "lease");
  d.note("n2 answers and n3 does not: reads are served still, by the majority");
  d.deliver(({ to }) => to === 2);
  d.deliver(({ from }) => from === 2);
  d.lose();
  d.tick(1, 50);
  d.deliver(({ to }) => to === 2);
  d.deliver(({ from }) => from === 2);
  d.lose();
  d.note(
    "120 ms are over: n1 gives up and serves again, but without a lease, because the question may still arrive",
  );
  d.tick(1, 70);
  d.deliver();
  d.persist(1);
  d.write(1);
  d.read(1, 2, "lease");
  d.settle();
  expect(d.engine(1).state.role.type).toBe("leader");
  expect(d.engine(1).state.transfer).toBeNull();
  expect(d.engine(1).state.committed).toEqual({ term: 1, index: 3 });
  await expect(d.text).toMatchFileSnapshot("dialogues/transfer-timeout.txt");
});

test("a leader that is removed", async () => {
  const d = led();
  d.note("n1 leads the change that removes it: the joint membership needs it, for one of its majorities");
  d.change(1, 7, { type: "removeVoters", ids: [1] });
  d.deliver();
  d.persist(1);
  d.persist(2);
  d.note("n2 has the joint membership: that makes two of {1,2,3}, but only one of {2,3}");
  d.deliver();
  expect(d.engine(1).state.committed.index).toBe(2);
  d.persist(3);
  d.note(
    "with n3 it is committed; the membership without n1 is in force as soon as it is appended, and n1 still leads",
  );
  d.deliver();
  expect(d.engine(1).state.log.last.index).toBe(4);
  d.note("its own disk does not count any more: n1 has the entry, and nothing is committed");
  d.persist(1);
  expect(d.engine(1).state.committed.index).toBe(3);
  d.note("n2 and n3 have it: the change is done. n1 asks one of them to take over, and leads no longer");
  d.deliver();
  d.persist(2);
  d.persist(3);
  d.deliver();
  expect(d.engine(1).state.role).toEqual({ type: "learner", leaderId: null });
  d.note("so the next leader is there before anybody has missed the old one");
  d.deliver();
  d.settle();
  const leaders = [2, 3].filter((id) => d.engine(id).state.role.type === "leader");
  expect(leaders).toHaveLength(1);
  d.note("and n1, which is no member, never stands");
  d.tick(1, 10_000);
  expect(d.wire).toEqual([]);
  await expect(d.text).toMatchFileSnapshot("dialogues/removed-leader.txt");
});

test("a snapshot to a lagging follower, with a part that is lost", async () => {
  const d = led({ logsToKeep: 0 });
  d.note("n3 is cut off while six writes are made and a snapshot is taken; the log behind it is purged");
  d.quietly(() => {
    d.write(1, 6);
    d.settle([1, 2]);
  });
  d.step(1, { type: "takeSnapshot", requestId: 7 });
  d.persist(1);
  d.note("n3 is back. What it needs next is purged, so it gets the snapshot");

  d.tick(1, 50);
  d.deliver(({ to }) => to === 3);
  d.deliver(({ from }) => from === 3);
  const { role } = d.engine(1).state;
  expect(role.type === "leader" && role.progress.get(3)?.mode).toBe("snapshot");
  d.note("the first of two parts arrives, the second is lost; heartbeats go on, and end nothing");
  d.deliver(({ kind }) => kind === "snapshot");
  d.deliver(({ kind }) => kind === "snapshotAnswer");
  d.lose(({ kind }) => kind === "snapshot");
  d.deliver();
  d.tick(1, 50);
  d.deliver();
  d.deliver();
  d.note("sent again, it arrives, and the transfer goes on where it was: n3 has it all, and installs it");
  d.sendPart(1, 3);
  d.deliver();
  expect(d.engine(3).state.snapshot.installing).not.toBeNull();
  d.note("an entry that comes meanwhile does not fit yet");
  d.write(1);
  d.tick(1, 50);
  d.deliver(({ to }) => to === 3);
  d.lose();
  d.note("it is installed: the log goes on after it. Asked again, n3 says so, once all of that is durable");
  d.installed(3);
  d.sendPart(1, 3);
  d.deliver(({ to }) => to === 3);
  d.persist(3);
  d.note("n1 goes on with the entries after it");
  d.deliver(({ from }) => from === 3);
  d.settle();
  d.tick(1, 50);
  d.settle();
  expect(d.engine(3).state.log.last).toEqual(d.engine(1).state.log.last);
  expect(d.engine(3).state.applied).toEqual(d.engine(1).state.applied);
  await expect(d.text).toMatchFileSnapshot("dialogues/snapshot-to-lagging-follower.txt");
});
