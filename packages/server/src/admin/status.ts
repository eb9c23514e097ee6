import type { LogId } from "@seshat/common";
import { formatLogId, isJoint, isVoter } from "@seshat/common";
import type { ServerContext } from "../server/context.js";

/** A member as the node that is asked knows it. */
export interface MemberStatus {
  readonly id: number;
  readonly addr: string;
  readonly clientAddr: string;
  readonly votes: boolean;
  /** Only a leader knows it: entries that the member is not known to have. */
  readonly lag: number | null;
  readonly mode: string | null;
  readonly sinceLastAckMs: number | null;
}

/** What a server says of itself and its cluster. */
export interface ServerStatus {
  readonly version: string;
  readonly clusterId: string;
  readonly id: number;
  readonly addr: string;
  readonly clientAddr: string;
  /** `leader`, `follower`, `candidate`, `learner` or `stopped`; a new node is a `learner` of no cluster. */
  readonly state: string;
  /** It belongs to no cluster yet. */
  readonly isNew: boolean;
  readonly term: number;
  readonly leaderId: number | null;
  readonly lastLog: string;
  readonly committed: string;
  readonly applied: string;
  readonly appliedIndex: number;
  readonly snapshot: string;
  readonly members: readonly MemberStatus[];
  /** Two sets of voters while the membership changes. */
  readonly isJoint: boolean;
  readonly transferTarget: number | null;
  readonly storageStalled: string | null;
  readonly keys: number;
  readonly usedBytes: number;
  readonly clients: number;
  readonly uptimeSeconds: number;
}

export function serverStatus(server: ServerContext): ServerStatus {
  const { node, machine, self, clusterId, version, clients } = server;
  const metrics = node.raft.metrics();
  const { membership } = metrics.membership;
  return {
    version,
    clusterId,
    id: metrics.id,
    addr: self.addr,
    clientAddr: self.clientAddr,
    state: metrics.state,
    isNew: isNew(metrics),
    term: metrics.term,
    leaderId: metrics.currentLeader,
    lastLog: formatLogId(metrics.lastLogId),
    committed: formatLogId(metrics.committed),
    applied: formatLogId(metrics.lastApplied),
    appliedIndex: metrics.lastApplied.index,
    snapshot: formatLogId(metrics.snapshot),
    members: [...membership.nodes].map(([id, { addr, clientAddr }]) => {
      const progress = metrics.replication?.get(id);
      return {
        id,
        addr,
        clientAddr,
        votes: isVoter(membership, id),
        lag: progress?.lag ?? null,
        mode: progress?.mode ?? null,
        sinceLastAckMs: progress?.sinceLastAckMs ?? null,
      };
    }),
    isJoint: isJoint(membership),
    transferTarget: metrics.transferTarget,
    storageStalled: metrics.storageStalled,
    keys: machine.size,
    usedBytes: machine.usedBytes,
    clients: clients.size,
    uptimeSeconds: Math.floor((server.now() - server.startedMs) / 1000),
  };
}

/** A node that has neither voted nor written anything belongs to no cluster. */
export function isNew({ term, lastLogId }: { readonly term: number; readonly lastLogId: LogId }): boolean {
  return term === 0 && lastLogId.index === 0;
}
