import type { RaftTypeConfig } from "@seshat/common";
import type { Cluster } from "../world/cluster.js";

/** What each node is doing, on one line. */
export function describeCluster<C extends RaftTypeConfig>(cluster: Cluster<C>): string {
  return [...cluster.nodes.values()]
    .map(({ id, raft, stopCause }) => {
      if (raft === null) return `${id} down${stopCause === null ? "" : ` (${stopCause.message})`}`;
      const { state, term, lastLogId, committed, lastApplied, membership, currentLeader } = raft.metrics();
      return `${id} ${state} t${term} log ${lastLogId.index} committed ${committed.index} applied ${lastApplied.index} leader ${currentLeader} voters ${JSON.stringify(membership.membership.configs)}`;
    })
    .join("; ");
}
