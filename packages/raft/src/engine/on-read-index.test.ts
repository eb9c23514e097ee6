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

describe("a read", () => {
  test("is served at once by a leader that is alone", () => {
    const node = elected({ membership: voters(1) });
    expect(node.read(7)).toEqual([{ type: "readReady", requestId: 7, readIndex: id(1, 1) }]);
  });

  test("waits on a leader that has followers, and asks as many as make a quorum", () => {
    const node = elected();
    expect(node.read(7).map(({ type }) => type)).toEqual(["sendAppendEntries"]);
  });

  test("is refused where nobody is known to lead", () => {
    const node = new TestEngine();
    expect(node.read(7)).toEqual([
      { type: "refuseReads", requestId: 7, refusal: { code: "notLeader", leaderId: null } },
    ]);
  });

  test("is refused by who led and lost its quorum, for that reason", () => {
    const node = elected();
    node.pass(300);
    for (const policy of ["readIndex", "lease"] as const) {
      expect(node.read(7, policy)).toEqual([
        { type: "refuseReads", requestId: 7, refusal: { code: "quorumNotEnough" } },
      ]);
    }
  });
});

describe("a read on a follower (thesis section 6.4)", () => {
  function follower(): TestEngine {
    const node = new TestEngine();
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    return node;
  }

  test("asks the leader from which index on it may be served, by the policy that the reader chose", () => {
    for (const policy of ["readIndex", "lease"] as const) {
      expect(follower().read(7, policy)).toEqual([{ type: "sendReadIndex", to: 3, requestId: 7, policy }]);
    }
  });

  test("is asked by a learner as well", () => {
    const node = new TestEngine({ membership: memberships([[2, 3]], 3) });
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    expect(the(node.read(7), "sendReadIndex").to).toBe(3);
  });

  test("is ready at the index that the leader says, which this node may not have yet", () => {
    const node = follower();
    node.read(7);
    expect(node.step({ type: "readIndexAnswered", requestId: 7, readIndex: id(1, 9) })).toEqual([
      { type: "readReady", requestId: 7, readIndex: id(1, 9) },
    ]);
  });

  test("is refused when the leader does not answer or refuses", () => {
    const node = follower();
    node.read(7);
    expect(node.step({ type: "readIndexAnswered", requestId: 7, readIndex: null })).toEqual([
      { type: "refuseReads", requestId: 7, refusal: { code: "notLeader", leaderId: 3 } },
    ]);
  });

  test("is not passed on twice: asked by another follower, who does not lead refuses", () => {
    expect(follower().forwardedRead(7)).toEqual([
      { type: "refuseReads", requestId: 7, refusal: { code: "notLeader", leaderId: 3 } },
    ]);
  });

  test("is answered by the leader as one of its own", () => {
    const node = elected();
    const out = node.forwardedRead(7);
    expect(the(node.accept(sentTo(out, 2)), "readReady")).toMatchObject({
      requestId: 7,
      readIndex: id(1, 1),
    });
  });
});

describe("a read by the leader's lease (thesis section 6.4.1)", () => {
  const leases = { config: { leaseMs: 140 } } as const;

  test("is served at once, without asking anybody, also for a follower", () => {
    const node = elected(leases);
    node.now += 139;
    const ready = { type: "readReady", requestId: 7, readIndex: id(1, 1) };
    expect(node.read(7, "lease")).toEqual([ready]);
    expect(node.forwardedRead(7, "lease")).toEqual([ready]);
  });

  test("asks a quorum when the lease has ended, and a quorum that answers renews it", () => {
    const node = elected(leases);
    node.now += 140;
    const out = node.read(7, "lease");
    expect(out.map(({ type }) => type)).toEqual(["sendAppendEntries"]);
    expect(the(node.accept(sentTo(out, 2)), "readReady").requestId).toBe(7);
    expect(the(node.read(8, "lease"), "readReady").requestId).toBe(8);
  });

  test("asks a quorum where the reader wants that, or no leases are served", () => {
    expect(only(elected(leases).read(7), "sendAppendEntries")).toHaveLength(1);
    expect(only(elected().read(7, "lease"), "sendAppendEntries")).toHaveLength(1);
  });

  test("waits for the blank entry of a new leader: what was committed before it is not known until then", () => {
    const { node, won } = elect({ ...leases, terms: [1, 1], committed: 1 });
    node.persist();
    const [first] = only(won, "sendAppendEntries");
    node.answer(first as NonNullable<typeof first>, { type: "conflict", hint: id(1, 1) });
    expect(node.progress(2).ackedSentAt).toBe(node.now);
    expect(node.read(7, "lease")).toEqual([]);
    expect(node.leader.reads).toHaveLength(1);
  });
});
