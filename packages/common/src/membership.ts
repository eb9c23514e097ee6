import { checkNodeId } from "./check.js";
import { InvalidValueError } from "./errors.js";
import type { LogId } from "./log-id.js";
import { ZERO_LOG_ID } from "./log-id.js";
import type { BasicNode, NodeId } from "./node.js";

/**
 * Who belongs to a cluster, and who decides in it (Raft thesis, chapter 4).
 *
 * Build one with {@link createMembership}: its ids are sorted and unique, every voter has a node,
 * and the nodes stand in ascending order of id, so that equal memberships are equal structures.
 */
export interface Membership<N = BasicNode> {
  /**
   * The sets of voters: none before `initialize`, one in normal service, two while the cluster moves
   * from one set to another (joint consensus, Raft paper section 6), when a decision needs a majority of
   * both: the outgoing set first, then the incoming one.
   */
  readonly configs: readonly (readonly NodeId[])[];
  /** Every member, voters and learners. A learner is a member that is in no config. */
  readonly nodes: ReadonlyMap<NodeId, N>;
}

/** A membership together with the log entry that brought it. */
export interface StoredMembership<N = BasicNode> {
  /** The entry that carries the membership; {@link ZERO_LOG_ID} for the empty one of a new node. */
  readonly logId: LogId;
  readonly membership: Membership<N>;
}

/** The membership of a node that belongs to no cluster yet. */
export const EMPTY_MEMBERSHIP: Membership<never> = Object.freeze({
  configs: Object.freeze([]),
  nodes: new Map<NodeId, never>(),
});

/** {@link EMPTY_MEMBERSHIP}, brought by no entry. */
export const EMPTY_STORED_MEMBERSHIP: StoredMembership<never> = Object.freeze({
  logId: ZERO_LOG_ID,
  membership: EMPTY_MEMBERSHIP,
});

/**
 * Makes a membership, sorted and checked.
 *
 * @param configs one set of voters, or two for a joint membership, the outgoing one first; repeated ids
 *   count once.
 * @param nodes every member with where it is; members that are in no config are learners. Of several
 *   nodes for one id the last stands.
 * @throws {InvalidValueError} when there are no configs or more than two, a config is empty, an id is
 *   not a node id, or a voter has no node.
 */
export function createMembership<N>(
  configs: Iterable<Iterable<NodeId>>,
  nodes: Iterable<readonly [NodeId, N]>,
): Membership<N> {
  const sortedNodes = new Map(
    [...nodes]
      .map(([id, node]): [NodeId, N] => [checkNodeId("membership.nodes", id), node])
      .sort(([a], [b]) => a - b),
  );
  const sortedConfigs = [...configs].map((config) => {
    const ids = [...config].map((id) => checkNodeId("membership.configs", id));
    return [...new Set(ids)].sort((a, b) => a - b);
  });
  if (sortedConfigs.length < 1 || sortedConfigs.length > 2) {
    throw new InvalidValueError("membership.configs", sortedConfigs, "one set of voters, or two while joint");
  }
  for (const config of sortedConfigs) {
    if (config.length === 0) {
      throw new InvalidValueError("membership.configs", sortedConfigs, "sets of at least one voter");
    }
    for (const id of config) {
      if (!sortedNodes.has(id)) {
        throw new InvalidValueError("membership.nodes", [...sortedNodes.keys()], `a node for voter ${id}`);
      }
    }
  }
  return { configs: sortedConfigs, nodes: sortedNodes };
}

/** True while the cluster moves between two sets of voters. */
export function isJoint(membership: Membership<unknown>): boolean {
  return membership.configs.length > 1;
}

/** True when `id` votes, in either set of a joint membership. */
export function isVoter(membership: Membership<unknown>, id: NodeId): boolean {
  return membership.configs.some((config) => config.includes(id));
}

/** Everyone who votes, in either set, ascending. */
export function voterIds(membership: Membership<unknown>): readonly NodeId[] {
  if (membership.configs.length === 1) return membership.configs[0] as readonly NodeId[];
  return [...new Set(membership.configs.flat())].sort((a, b) => a - b);
}

/** The members that receive the log and do not vote, ascending. */
export function learnerIds(membership: Membership<unknown>): readonly NodeId[] {
  return [...membership.nodes.keys()].filter((id) => !isVoter(membership, id));
}
