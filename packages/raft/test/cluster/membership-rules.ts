import type { LogId, Membership, NodeId, StoredMembership } from "@seshat/common";
import { ZERO_LOG_ID, equalLogIds, formatLogId, isJoint, isVoter } from "@seshat/common";
import type { ObservedNode, Oracle } from "./oracle.js";
import { must } from "./must.js";

/** What a change of the membership must not do to a cluster (Raft paper section 6, thesis chapter 4). */

/**
 * A leader makes a membership entry: the one before it is committed, so at most one is not; something of the leader's own term is
 * committed; and between any two sets of voters lies a joint membership, which is left only for the incoming set.
 */
export function checkSuccession(
  before: StoredMembership<unknown>,
  logId: LogId,
  next: Membership<unknown>,
  oracle: Oracle,
): void {
  const name = formatLogId(logId);
  if (logId.term === 0) {
    must(equalLogIds(before.logId, ZERO_LOG_ID), `a cluster is founded twice: ${name}`);
    return;
  }
  must(oracle.isCommitted(before.logId), `membership ${name} follows one that is not committed`);
  must(oracle.hasCommittedIn(logId.term), `membership ${name} is the first of its leader's entries`);
  const from = before.membership.configs;
  const to = next.configs;
  const [start, end] = from.length > 1 ? [from[1], to[0]] : [from[0], to[0]];
  must(
    start?.join() === end?.join() && (from.length === 1 || to.length === 1),
    `membership ${name} goes from ${JSON.stringify(from)} to ${JSON.stringify(to)}`,
  );
}

/**
 * Only a voter leads, from the store that it votes from; or somebody on its way out, until that is committed. It may be elected even then, when
 * nobody who stays has the entry that removes it (Raft thesis section 4.2.2).
 */
export function checkLeads(node: ObservedNode, committed: LogId): void {
  const { logId, membership } = node.membership();
  must(
    votes(membership, node) || committed.index < logId.index,
    `node ${node.id} leads, and its removal at ${logId.index} is committed`,
  );
}

function votes(membership: Membership<unknown>, { id, disk }: ObservedNode): boolean {
  const recorded = membership.incarnations.get(id) ?? disk.incarnation;
  return isVoter(membership, id) && recorded === disk.incarnation;
}

/**
 * What a leader commits is on the disks of a majority of every set of voters: of those in force when it is committed. In one
 * step a leader may commit a joint membership, leave it, and commit more with the incoming set alone.
 *
 * @param membership the last one in the leader's log before the step.
 */
export function checkCommitted(
  committed: LogId,
  { logId, membership }: StoredMembership<unknown>,
  nodes: readonly ObservedNode[],
): void {
  if (isJoint(membership) && committed.index > logId.index) {
    checkQuorumHolds(logId, membership, membership.configs, nodes);
    checkQuorumHolds(committed, membership, membership.configs.slice(-1), nodes);
  } else checkQuorumHolds(committed, membership, membership.configs, nodes);
}

function checkQuorumHolds(
  committed: LogId,
  membership: Membership<unknown>,
  configs: readonly (readonly NodeId[])[],
  nodes: readonly ObservedNode[],
): void {
  for (const config of configs) {
    const holders = nodes.filter((node) => {
      const store = membership.incarnations.get(node.id) ?? node.disk.incarnation;
      // A store that is lost may have said before that it has the entry. It elects nobody any more.
      const disks = [node.disk, ...node.lostDisks].filter(({ incarnation }) => incarnation === store);
      return config.includes(node.id) && disks.some((disk) => disk.holds(committed));
    });
    must(
      holders.length * 2 > config.length,
      `${formatLogId(committed)} is committed, but durable on ${holders.map(({ id }) => id).join()} of ${config.join()}`,
    );
  }
}
