import { describe, expect, test } from "vitest";
import { TestEngine, elect, elected, id, only, sentTo, voters } from "../../test/engine-harness.js";

const NEVER = Number.POSITIVE_INFINITY;

test("what is left out stays as it is", () => {
  const node = new TestEngine({ switches: { preVote: false, snapshotAfterEntries: 7 } });
  node.configure({ elect: false });
  expect(node.state.switches).toMatchObject({
    tick: true,
    elect: false,
    preVote: false,
    snapshotAfterEntries: 7,
  });
});

describe("without ticks", () => {
  test("time stands still: nothing is due, and a timer that fires does nothing", () => {
    const leader = elected();
    for (const node of [leader, new TestEngine()]) {
      node.configure({ tick: false });
      expect(node.engine.nextDeadline()).toBe(NEVER);
      expect(node.pass(10_000)).toEqual([]);
    }
    expect(leader.role).toBe("leader");
  });

  test("a transfer ends at its deadline all the same, and the leader serves again; of what else was due nothing is done", () => {
    const leader = elected();
    leader.transferLeader(7, 3, 400);
    leader.configure({ tick: false });
    expect(leader.engine.nextDeadline()).toBe(leader.now + 400);
    expect(leader.pass(400)).toEqual([
      {
        type: "reply",
        requestId: 7,
        refusal: { code: "transferFailed", target: 3, reason: "timeout" },
        afterIo: 0,
      },
    ]);
    expect(leader.engine.nextDeadline()).toBe(NEVER);
    expect(only(leader.write("a"), "acceptWrites")).toHaveLength(1);
  });

  test("it answers all the same, and stands by command", () => {
    const node = new TestEngine({ switches: { tick: false } });
    node.append({ term: 1, prevLogId: id(0, 0) });
    expect(node.state.role).toEqual({ type: "follower", leaderId: 2 });
    node.step({ type: "elect" });
    expect(node.role).toBe("candidate");
  });

  test("and with them again nothing is overdue: a voter waits a whole timeout, a leader gives its followers as long to answer", () => {
    const voter = new TestEngine();
    voter.configure({ tick: false });
    voter.now += 10_000;
    voter.configure({ tick: true });
    expect(voter.engine.nextDeadline()).toBe(voter.now + 225);
    const leader = elected();
    leader.configure({ tick: false });
    leader.now += 10_000;
    leader.configure({ tick: true });
    leader.pass(299);
    expect(leader.role).toBe("leader");
    leader.pass(1);
    expect(leader.role).toBe("follower");
  });

  test("turning them on again where they are on puts nothing off", () => {
    const leader = elected();
    const voter = new TestEngine();
    for (let i = 0; i < 6; i++) {
      leader.pass(50);
      voter.now += 50;
      for (const node of [leader, voter]) node.configure({ tick: true, elect: true });
    }
    expect(leader.role).toBe("follower");
    expect(voter.engine.nextDeadline()).toBe(1225);
  });

  test("the lease does not come back with them", () => {
    const leader = elected({ config: { leaseMs: 140 } });
    leader.configure({ tick: false });
    leader.now += 140;
    leader.configure({ tick: true });
    expect(only(leader.read(1, "lease"), "readReady")).toEqual([]);
  });
});

describe("without elections", () => {
  test("it does not stand by itself, and votes for others", () => {
    const node = new TestEngine({ switches: { elect: false } });
    expect(node.engine.nextDeadline()).toBe(NEVER);
    expect(node.pass(10_000)).toEqual([]);
    expect(only(node.voteRequest(2, 1, id(0, 0)), "saveVote")).not.toEqual([]);
  });

  test("who is at it goes on, and does not begin again", () => {
    const node = new TestEngine();
    node.pass(300);
    node.configure({ elect: false });
    expect(node.pass(300)).toEqual([]);
    node.preVoteResponse(2, 1, true);
    expect(node.role).toBe("candidate");
  });

  test("and with them again it waits a whole timeout", () => {
    const node = new TestEngine({ switches: { elect: false } });
    node.now += 10_000;
    node.configure({ elect: true });
    expect(node.engine.nextDeadline()).toBe(node.now + 225);
  });
});

describe("without heartbeats", () => {
  test("a leader sends entries and nothing else", () => {
    const node = elected({ switches: { heartbeat: false } });
    expect(node.pass(50)).toEqual([]);
    expect(only(node.write("a"), "sendAppendEntries")).toHaveLength(2);
  });

  test("it tries again those that failed, once each time", () => {
    const node = elected({ switches: { heartbeat: false } });
    const out = node.write("a");
    node.fail(sentTo(out, 2));
    expect(node.engine.nextDeadline()).toBe(node.now + 20);
    const again = node.pass(20);
    expect(sentTo(again, 2).upto).toBe(2);
    expect(node.engine.nextDeadline()).toBeGreaterThan(node.now);
    expect(node.pass(20)).toEqual([]);
    node.fail(sentTo(again, 2));
    expect(node.engine.nextDeadline()).toBe(node.now + 40);
  });

  test("a snapshot that did not get through is sent again", () => {
    const { node, won } = elect({ purged: id(1, 5), terms: [1], switches: { heartbeat: false } });
    const probe = sentTo(node.answer(sentTo(won, 2), { type: "conflict", hint: id(1, 2) }), 2);
    const [sent] = only(node.answer(probe, { type: "conflict", hint: id(1, 2) }), "sendSnapshot");
    if (sent === undefined) throw new Error("no snapshot");
    node.snapshotFailed(sent);
    expect(only(node.pass(20), "sendSnapshot")).toHaveLength(1);
    expect(only(node.pass(200), "sendSnapshot")).toEqual([]);
  });

  test("reads still ask for what they need", () => {
    const node = elected({ switches: { heartbeat: false } });
    const out = node.read(7);
    expect(only(node.accept(sentTo(out, 2)), "readReady")).toHaveLength(1);
  });

  test("and with them again they go out at once", () => {
    const node = elected({ switches: { heartbeat: false } });
    node.now += 100;
    node.configure({ heartbeat: true });
    expect(node.engine.nextDeadline()).toBeLessThanOrEqual(node.now);
    expect(only(node.pass(0), "sendAppendEntries")).toHaveLength(2);
  });
});

test("pre-votes may be turned off and on between two elections", () => {
  const node = new TestEngine();
  node.configure({ preVote: false });
  expect(only(node.pass(300), "sendVote")).toHaveLength(2);
  node.configure({ preVote: true });
  expect(only(node.pass(300), "sendPreVote")).toHaveLength(2);
});

test("a snapshot that a new policy calls for is built at once", () => {
  const node = new TestEngine({ membership: voters(1), terms: [1, 1, 1], committed: 3, applied: 3 });
  expect(node.configure({ snapshotAfterEntries: 4 })).toEqual([]);
  expect(node.configure({ snapshotAfterEntries: 3 })).toEqual([{ type: "buildSnapshot" }]);
  expect(node.configure({ snapshotAfterEntries: 2 })).toEqual([]);
});
