import type { BasicNode, NodeId } from "@seshat/common";
import { ZERO_LOG_ID, createMembership } from "@seshat/common";
import type { RaftMetrics } from "@seshat/raft";
import { expect, test } from "vitest";
import { CountingStateMachine } from "../counting-state-machine.js";
import type { Cluster } from "./cluster.js";
import { lookAt } from "./key-value-cluster-status.js";

const NODES: readonly (readonly [NodeId, BasicNode])[] = [1, 2, 3, 4].map((id) => [id, { addr: `n${id}` }]);

/** Metrics of a follower of node 1, but for what is given. */
function metricsOf(id: NodeId, changes: Partial<RaftMetrics<BasicNode>>): RaftMetrics<BasicNode> {
  const follower = {
    id,
    state: "follower",
    term: 3,
    lastLogId: ZERO_LOG_ID,
    committed: { term: 3, index: 10 },
    lastApplied: ZERO_LOG_ID,
    snapshot: ZERO_LOG_ID,
    purged: ZERO_LOG_ID,
    membership: { logId: ZERO_LOG_ID, membership: createMembership([[1, 2]], NODES.slice(0, 2)) },
    replication: null,
    transferTarget: null,
    storageStalled: null,
  };
  return { ...follower, ...changes } as RaftMetrics<BasicNode>;
}

type Looked = Parameters<typeof lookAt>[0];

test("a status is what the leader of the latest term knows, with what each node says of itself", () => {
  const membership = createMembership(
    [
      [1, 2],
      [2, 3],
    ],
    NODES,
  );
  const replication = new Map([
    [2, { mode: "pipeline", snapshot: null }],
    [4, { mode: "snapshot", snapshot: { offset: 5, size: 9 } }],
  ]) as unknown as RaftMetrics<BasicNode>["replication"];
  const metrics = [
    metricsOf(1, {
      state: "leader",
      membership: { logId: ZERO_LOG_ID, membership },
      replication,
      transferTarget: 2,
    }),
    metricsOf(2, { storageStalled: "append", lastApplied: { term: 3, index: 4 } }),
    metricsOf(4, { state: "learner" }),
    // A leader of an earlier term that has not heard of the other.
    metricsOf(5, { state: "leader", term: 2, replication: new Map() }),
  ];
  const cluster: Pick<
    Cluster<unknown, unknown, CountingStateMachine>,
    "ids" | "lastApplied" | "stateMachine"
  > = {
    ids: [1, 2, 3, 4, 5],
    lastApplied: () => ZERO_LOG_ID,
    stateMachine: () => new CountingStateMachine(),
  };
  const running = () => metrics.map((each) => ({ id: each.id, metrics: () => each }));
  const status = lookAt({ ...cluster, running } as unknown as Looked, null);

  expect(status).toMatchObject({
    leaderId: 1,
    membership: {
      configs: [
        [1, 2],
        [2, 3],
      ],
      learners: [4],
      joint: true,
    },
    transferTarget: 2,
  });
  const [one, two, three, four, five] = status.nodes;
  expect(one).toMatchObject({ state: "leader", member: "voter", lag: 10, mode: null, stalled: null });
  expect(two).toMatchObject({
    state: "follower",
    member: "voter",
    lag: 6,
    mode: "pipeline",
    stalled: "append",
  });
  expect(three).toMatchObject({ state: "down", member: "voter", mode: null, snapshotProgress: null });
  expect(four).toMatchObject({
    member: "learner",
    mode: "snapshot",
    snapshotProgress: { offset: 5, size: 9 },
  });
  expect(five).toMatchObject({ state: "leader", member: "none", mode: null });
});
