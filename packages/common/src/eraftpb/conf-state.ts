import { InvalidValueError } from "../errors.js";
import type { Membership } from "../membership.js";
import { EMPTY_MEMBERSHIP, createMembership, isJoint, learnerIds } from "../membership.js";
import type { NodeId } from "../node.js";
import type { ConfState } from "./messages.js";
import type { U64 } from "./u64.js";
import { fromU64 } from "./u64.js";

/**
 * Turns the configuration of a raft-rs cluster into a membership.
 *
 * A joint one gives two configs, the outgoing voters first. Of the outgoing voters, those of `learnersNext` stay as
 * learners and the rest is `leaving`. `autoLeave` is left out: a leader of Seshat always leaves a joint membership by itself,
 * also where one of raft-rs would have waited to be told. {@link leaveJoint} gives the configuration that follows.
 *
 * No incarnations are recorded: raft-rs has none, and the leader notes them once the voters have answered.
 *
 * A ConfState with nothing in it, that of a raft-rs node that was never initialized, gives
 * `EMPTY_MEMBERSHIP`.
 *
 * @param nodes where each member is. Nodes of others are left out.
 * @throws {InvalidValueError} when an id is out of range, a member has no node, or the ConfState is one that
 *   raft-rs cannot be in: learners that also vote, learners-to-be that are not on their way out, no voters.
 */
export function confStateToMembership<N>(
  confState: ConfState,
  nodes: Iterable<readonly [NodeId, N]>,
): Membership<N> {
  const { voters, learners, votersOutgoing, learnersNext } = checkConfState(confState);
  if (voters.length === 0) return EMPTY_MEMBERSHIP;
  const nodeOf = new Map(nodes);
  const members = new Map<NodeId, N>();
  for (const id of [...votersOutgoing, ...voters, ...learners]) {
    const node = nodeOf.get(id);
    if (node === undefined) {
      throw new InvalidValueError("nodes", [...nodeOf.keys()], `a node for member ${id}`);
    }
    members.set(id, node);
  }
  if (votersOutgoing.length === 0) return createMembership([voters], members);
  const leaving = votersOutgoing.filter((id) => !voters.includes(id) && !learnersNext.includes(id));
  return createMembership([votersOutgoing, voters], members, { leaving });
}

/**
 * Turns a membership into a ConfState, ids ascending. `learnersNext` are the voters of the outgoing set alone that are
 * not leaving, and `autoLeave` is true while joint.
 *
 * Where the nodes are, and which stores the voters vote from, is left out: raft-rs records neither.
 */
export function membershipToConfState(membership: Membership<unknown>): ConfState<number> {
  const joint = isJoint(membership);
  const [outgoing = [], incoming = []] = joint ? membership.configs : [[], ...membership.configs];
  return checkConfState({
    voters: incoming,
    learners: learnerIds(membership),
    votersOutgoing: outgoing,
    learnersNext: outgoing.filter((id) => !incoming.includes(id) && !membership.leaving.includes(id)),
    autoLeave: joint,
  });
}

/**
 * The configuration that follows on a joint one: the outgoing voters are gone, except those that were to
 * become learners.
 *
 * @throws {InvalidValueError} when `confState` is not joint, or is one that raft-rs cannot be in.
 */
export function leaveJoint(confState: ConfState): ConfState<number> {
  const { voters, learners, votersOutgoing, learnersNext } = checkConfState(confState);
  if (votersOutgoing.length === 0) {
    throw new InvalidValueError(
      "confState.votersOutgoing",
      votersOutgoing,
      "at least one voter: nothing else is joint",
    );
  }
  return {
    voters,
    learners: [...learners, ...learnersNext].sort((a, b) => a - b),
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
}

/** Sorts each list, removes repeated ids, and checks what raft-rs itself holds to. */
function checkConfState(confState: ConfState): ConfState<number> {
  const voters = sortedIds("confState.voters", confState.voters);
  const learners = sortedIds("confState.learners", confState.learners);
  const votersOutgoing = sortedIds("confState.votersOutgoing", confState.votersOutgoing);
  const learnersNext = sortedIds("confState.learnersNext", confState.learnersNext);
  const { autoLeave } = confState;
  if (voters.length === 0 && learners.length + votersOutgoing.length > 0) {
    throw new InvalidValueError("confState.voters", voters, "at least one voter");
  }
  if (learners.some((id) => voters.includes(id) || votersOutgoing.includes(id))) {
    throw new InvalidValueError("confState.learners", learners, "without voters, incoming or outgoing");
  }
  if (learnersNext.some((id) => voters.includes(id) || !votersOutgoing.includes(id))) {
    throw new InvalidValueError(
      "confState.learnersNext",
      learnersNext,
      "a part of the outgoing voters, without incoming ones",
    );
  }
  if (typeof autoLeave !== "boolean" || (autoLeave && votersOutgoing.length === 0)) {
    throw new InvalidValueError("confState.autoLeave", autoLeave, "a boolean, and false unless joint");
  }
  return { voters, learners, votersOutgoing, learnersNext, autoLeave };
}

function sortedIds(field: string, ids: readonly U64[]): number[] {
  if (!Array.isArray(ids)) throw new InvalidValueError(field, ids, "an array of node ids");
  const checked = (ids as readonly U64[]).map((id, at) => fromU64(`${field}[${at}]`, id, 1));
  return [...new Set(checked)].sort((a, b) => a - b);
}
