import { checkInteger, checkNodeId } from "./check.js";
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
  /**
   * While joint: the outgoing voters that are no members any more once the joint membership is left. The other voters of
   * the outgoing set alone stay as learners. Ascending; empty unless joint.
   */
  readonly leaving: readonly NodeId[];
  /**
   * The store that each voter votes from, by its incarnation: a voter whose disk was erased, or another machine with its
   * id, is not that voter and counts for nothing. A voter that is not here was not heard from yet.
   */
  readonly incarnations: ReadonlyMap<NodeId, number>;
}

/** What a membership says beside who votes and who is where. */
export interface MembershipDetails {
  /** Default: none. */
  readonly leaving?: Iterable<NodeId>;
  /** From 1 to 2^53 - 1 each. Default: none. Those of ids that do not vote are left out; of several for one id the last stands. */
  readonly incarnations?: Iterable<readonly [NodeId, number]>;
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
  leaving: Object.freeze([]),
  incarnations: new Map<NodeId, number>(),
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
 * @param details who leaves with a joint membership, and the stores of the voters.
 * @throws {InvalidValueError} when there are no configs or more than two, a config is empty, an id is
 *   not a node id, a voter has no node, somebody leaves who is not a voter of the outgoing set alone, or an
 *   incarnation is none.
 */
export function createMembership<N>(
  configs: Iterable<Iterable<NodeId>>,
  nodes: Iterable<readonly [NodeId, N]>,
  details: MembershipDetails = {},
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
  return {
    configs: sortedConfigs,
    nodes: sortedNodes,
    leaving: checkLeaving(sortedConfigs, details.leaving ?? []),
    incarnations: checkIncarnations(sortedConfigs, details.incarnations ?? []),
  };
}

function checkLeaving(configs: readonly (readonly NodeId[])[], ids: Iterable<NodeId>): readonly NodeId[] {
  const checked = [...ids].map((id) => checkNodeId("membership.leaving", id));
  const leaving = [...new Set(checked)].sort((a, b) => a - b);
  // Sets: what comes from the network may name millions.
  const [outgoing, incoming] = configs.map((config) => new Set(config));
  for (const id of leaving) {
    if (incoming === undefined || outgoing?.has(id) !== true || incoming.has(id)) {
      throw new InvalidValueError("membership.leaving", leaving, "voters of the outgoing set alone");
    }
  }
  return leaving;
}

function checkIncarnations(
  configs: readonly (readonly NodeId[])[],
  incarnations: Iterable<readonly [NodeId, number]>,
): ReadonlyMap<NodeId, number> {
  const voters = new Set(configs.flat());
  const ofVoters = [...incarnations]
    .map(([id, incarnation]): [NodeId, number] => [
      checkNodeId("membership.incarnations", id),
      checkInteger("membership.incarnations", incarnation, 1),
    ])
    .filter(([id]) => voters.has(id));
  return new Map(ofVoters.sort(([a], [b]) => a - b));
}

/** True while the cluster moves between two sets of voters. */
export function isJoint(membership: Membership<unknown>): boolean {
  return membership.configs.length > 1;
}

/** True when `id` votes, in either set of a joint membership. */
export function isVoter(membership: Membership<unknown>, id: NodeId): boolean {
  // Asked for every message: without an iterator or a closure.
  const { configs } = membership;
  for (let i = 0; i < configs.length; i++) if ((configs[i] as readonly NodeId[]).includes(id)) return true;
  return false;
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

/**
 * What follows on a joint membership: the incoming set alone decides, who was leaving is gone, and the other outgoing
 * voters are learners, whose stores nobody counts on any more. A membership that is not joint is followed by itself.
 *
 * @throws {InvalidValueError} when there are no voters at all.
 */
export function leaveJoint<N>(membership: Membership<N>): Membership<N> {
  const { configs, nodes, leaving, incarnations } = membership;
  return createMembership(
    configs.slice(-1),
    [...nodes].filter(([id]) => !leaving.includes(id)),
    { incarnations },
  );
}
