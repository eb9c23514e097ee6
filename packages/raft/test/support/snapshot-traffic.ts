import type {
  BasicNode,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  NodeId,
  RpcRequest,
  RpcResponse,
} from "@seshat/common";
import type { RaftNode } from "../../src/raft-node.js";
import type { TestCluster } from "./test-cluster.js";

export type SnapshotPart = RpcRequest<InstallSnapshotRequest<BasicNode>>;
export type SnapshotAnswer = RpcResponse<InstallSnapshotResponse>;

/** Settings with which a follower that is away for a moment needs a snapshot, in many parts. */
export const MANY_PARTS = {
  snapshotPolicy: { type: "logsSinceLast", entries: 20 },
  maxInSnapshotLogToKeep: 0,
  maxLogToKeepForFollowers: 0,
  snapshotChunkBytes: 200,
} as const;

/** What becomes of a part on its way: `send` brings it over, as often as it is called. */
export type PartHandler = (
  part: SnapshotPart,
  send: () => Promise<SnapshotAnswer>,
) => Promise<SnapshotAnswer>;

/** Looks at all parts of snapshots between nodes; to be called before any node starts. */
export class SnapshotTraffic {
  readonly parts: SnapshotPart[] = [];
  handler: PartHandler = (_, send) => send();

  constructor(cluster: TestCluster) {
    const from = cluster.network.from.bind(cluster.network);
    cluster.network.from = (id) => ({
      connect: (target, node) => {
        const peer = from(id).connect(target, node);
        const installSnapshot = (part: SnapshotPart): Promise<SnapshotAnswer> => {
          this.parts.push(part);
          return this.handler(part, () => peer.installSnapshot(part));
        };
        return { ...peer, installSnapshot };
      },
    });
  }

  /** Where the parts that carried something began. */
  offsets(): number[] {
    return this.parts.filter(({ data }) => data.length > 0).map(({ offset }) => offset);
  }
}

/** A cluster of three of which one follower has missed so much that only a snapshot can help it; it is still cut off. */
export async function withLaggingFollower(
  cluster: TestCluster,
): Promise<{ leader: RaftNode; slow: NodeId; other: NodeId }> {
  const leader = await cluster.found();
  const [slow, other] = cluster.others(leader.id) as [NodeId, NodeId];
  await cluster.converge();
  cluster.network.partition([slow], [leader.id, other]);
  await writeMany(cluster, leader, 60);
  return { leader, slow, other };
}

/** Sets keys to long values, one after another. */
export async function writeMany(
  cluster: TestCluster,
  node: RaftNode,
  count: number,
  value = "v".repeat(40),
): Promise<void> {
  for (let i = 0; i < count; i++) await cluster.set(node, `key ${i}`, value);
}
