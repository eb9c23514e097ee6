import { describe, expect, test } from "vitest";
import type { TestEngine } from "../../test/engine-harness.js";
import { elected, id, members, memberships, voters } from "../../test/engine-harness.js";
import { checkState, checkTransition, summarize } from "./invariants.js";
import { adoptMembership } from "./membership-state.js";
import { noteSnapshotSent } from "./progress.js";
import type { EngineState } from "./state.js";

/** Node 1 leads 2 and 3, and learner 4; everything up to 2 is committed. */
function leading(): TestEngine {
  const node = elected({ membership: memberships([[1, 2, 3]], 4) });
  node.write("a");
  return node;
}

const faults: [rule: string, spoil: (node: TestEngine) => void][] = [
  [
    "a leader's vote is committed",
    ({ state }) => Object.assign(state, { vote: { term: 1, votedFor: 1, committed: false } }),
  ],
  [
    "only voters lead, or a leader on its way out: the membership of 0 is committed",
    ({ state }) => (state.memberships[0] = { logId: id(0, 0), membership: memberships([[2, 3]], 4) }),
  ],
  ["followers are the members: 3,4", ({ leader }) => leader.progress.delete(2)],
  [
    "followers are the members: 2,3,4",
    ({ state }) => state.memberships.push({ logId: id(1, 2), membership: memberships([[1, 2, 3]], 5) }),
  ],
  [
    "followers are the members: 2,3,4",
    ({ state }) => (state.memberships[0] = { logId: id(0, 0), membership: members(1, 2, 3) }),
  ],
  [
    "a snapshot on its way has a name: node 2: snapshot, 0",
    (node) => noteSnapshotSent(node.progress(2), 0, 0),
  ],
  [
    "a snapshot on its way has a name: node 2: pipeline, 7",
    (node) => Object.assign(node.progress(2), { snapshotSeq: 7 }),
  ],
  [
    "requests with entries are counted: node 2: 0 of 1",
    (node) => Object.assign(node.progress(2), { inFlightData: 0 }),
  ],
  [
    "one request with entries while probing: node 2: 2",
    (node) => {
      node.write("b");
      Object.assign(node.progress(2), { mode: "probe" });
    },
  ],
  [
    "who lacks entries is sent them, or waits for a time: node 2",
    (node) => Object.assign(node.progress(2), { nextIndex: 2, inFlight: [], inFlightData: 0 }),
  ],
  [
    "who lacks entries is sent them, or waits for a time: node 3",
    (node) => Object.assign(node.progress(3), { nextIndex: 2, inFlight: [], inFlightData: 0, spare: true }),
  ],
  [
    "a change waits only for what is not committed: 1 >= 1",
    ({ leader }) => (leader.change = { event: CHANGE, logId: null }),
  ],
  [
    "a change is the newest membership: 2, not 0",
    ({ leader }) => (leader.change = { event: CHANGE, logId: id(1, 2) }),
  ],
  [
    "who asked another to lead has no lease",
    (node) => {
      node.transferLeader(7, 3);
      Object.assign(node.state.transfer as object, { asked: true });
    },
  ],
];

const CHANGE = {
  type: "changeMembership",
  requestId: 7,
  change: { type: "removeVoters", ids: [3] },
  retain: false,
  allowLagging: false,
} as const;

describe("a leader", () => {
  test.each(faults)("fails by %s", (rule, spoil) => {
    const node = leading();
    expect(() => checkState(node.state as EngineState)).not.toThrow();
    spoil(node);
    expect(() => checkState(node.state as EngineState)).toThrow(rule);
  });

  test("on its way out may lead without a vote, until that is committed", () => {
    const node = leading();
    adoptMembership(node.state, { logId: id(1, 2), membership: memberships([[2, 3]], 4) });
    expect(() => checkState(node.state as EngineState)).not.toThrow();
  });

  test("of a later term may lease again, whatever it asked in an earlier one", () => {
    const node = leading();
    node.transferLeader(7, 3);
    Object.assign(node.state.transfer as object, { asked: true, term: 0 });
    expect(() => checkState(node.state as EngineState)).not.toThrow();
  });
});

describe("the membership in force, on a leader", () => {
  const joint = memberships(
    [
      [1, 2, 3],
      [1, 4],
    ],
    4,
  );

  /** The steps from one membership to the next, none of which is committed unless said otherwise. */
  function steps(first: typeof joint, second: typeof joint, committed: number): () => void {
    const node = leading();
    node.write("b");
    const state = node.state as EngineState;
    adoptMembership(state, { logId: id(1, 2), membership: first });
    state.committed = id(1, committed);
    const before = summarize(state);
    adoptMembership(state, { logId: id(1, 3), membership: second });
    return () => checkTransition(before, state);
  }

  test("becomes a joint one, and that the one after it, each once the one before is committed", () => {
    expect(steps(memberships([[1, 2, 3]], 4), joint, 2)).not.toThrow();
    expect(steps(joint, memberships([[1, 4]], 4), 2)).not.toThrow();
    expect(steps(joint, memberships([[1, 4]], 4), 1)).toThrow(
      "one membership change at a time, none before the leader's own term is committed: 3 while 2 is not committed",
    );
  });

  test("does not change before the leader has committed an entry of its own", () => {
    const node = leading();
    const state = node.state as EngineState;
    const before = summarize(state);
    Object.assign(node.leader, { firstIndex: 2 });
    adoptMembership(state, { logId: id(1, 2), membership: voters(1, 2, 3) });
    expect(() => checkTransition(before, state)).toThrow("none before the leader's own term is committed");
  });

  test("never changes its voters at once, nor leaves a joint one to the other side, nor joins twice", () => {
    const rule = "voters change by way of a joint membership";
    expect(steps(memberships([[1, 2, 3]], 4), memberships([[1, 2]], 4), 2)).toThrow(rule);
    expect(
      steps(
        memberships([[1, 2, 3]], 4),
        memberships(
          [
            [1, 2],
            [1, 4],
          ],
          4,
        ),
        2,
      ),
    ).toThrow(rule);
    expect(steps(joint, memberships([[1, 2, 3]], 4), 2)).toThrow(rule);
    expect(steps(joint, joint, 2)).toThrow(rule);
  });
});
