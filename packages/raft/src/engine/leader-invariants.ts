import type { Membership, NodeId, StoredMembership } from "@seshat/common";
import { equalLogIds, isJoint } from "@seshat/common";
import { holds } from "./holds.js";
import { effectiveMembership, isVotingHere } from "./membership-state.js";
import type { Progress } from "./progress.js";
import type { EngineState, LeaderRole } from "./state.js";

/** What must hold of a leader, beside what `invariants.ts` says of every node. */

/** Checks one state of a leader. */
export function checkLeader(state: EngineState, role: LeaderRole): void {
  const { vote, committed, transfer } = state;
  const { logId, membership } = effectiveMembership(state);
  holds("a leader's vote is committed", vote.committed, () => JSON.stringify(vote));
  holds(
    "only voters lead, or a leader on its way out",
    isVotingHere(state, membership) || committed.index < logId.index,
    () => `the membership of ${logId.index} is committed`,
  );
  holds("followers are the members", hasFollowers(state, role), () => [...role.progress.keys()].join());
  for (const [id, progress] of role.progress) {
    checkProgress(state, id, progress);
    holds(
      "who lacks entries is sent them, or waits for a time",
      isServed(state, role, progress),
      () => `node ${id}`,
    );
  }
  if (role.change !== null) checkChange(state, role, role.change.logId?.index ?? null);
  holds(
    "who asked another to lead has no lease",
    role.leaseForfeited || transfer?.asked !== true || transfer.term !== vote.term,
    () => JSON.stringify(transfer),
  );
}

function hasFollowers(state: EngineState, role: LeaderRole): boolean {
  const wanted = new Set(state.memberships.flatMap(({ membership }) => [...membership.nodes.keys()]));
  wanted.delete(state.id);
  return wanted.size === role.progress.size && [...wanted].every((id) => role.progress.has(id));
}

/** A follower that keeps up is sent more with each answer to what it was sent. */
function isServed(state: EngineState, { restAt }: LeaderRole, progress: Progress): boolean {
  const { log, switches, transfer } = state;
  if (progress.mode !== "pipeline" || progress.nextIndex > log.last.index) return true;
  const mayWait = progress.spare && switches.tick && transfer === null;
  return progress.inFlightData > 0 || (mayWait && restAt !== Number.POSITIVE_INFINITY);
}

function checkProgress(state: EngineState, id: NodeId, progress: Progress): void {
  const { matchIndex, nextIndex, mode, snapshotSeq, inFlight, inFlightData } = progress;
  holds("match below next", matchIndex < nextIndex, () => `node ${id}: ${matchIndex}`);
  holds("next within the log", nextIndex <= state.log.last.index + 1, () => `node ${id}: ${nextIndex}`);
  holds(
    "a snapshot on its way has a name",
    (mode === "snapshot") === snapshotSeq > 0,
    () => `node ${id}: ${mode}, ${snapshotSeq}`,
  );
  const withEntries = inFlight.filter((request) => request.upto > request.prevIndex).length;
  holds(
    "requests with entries are counted",
    inFlightData === withEntries,
    () => `node ${id}: ${inFlightData} of ${withEntries}`,
  );
  holds(
    "one request with entries while probing",
    mode !== "probe" || inFlightData <= 1,
    () => `node ${id}: ${inFlightData}`,
  );
}

function checkChange(state: EngineState, role: LeaderRole, index: number | null): void {
  const { logId } = effectiveMembership(state);
  if (index === null) {
    const waitsFor = Math.max(role.firstIndex, logId.index);
    holds(
      "a change waits only for what is not committed",
      state.committed.index < waitsFor,
      () => `${state.committed.index} >= ${waitsFor}`,
    );
  } else {
    holds("a change is the newest membership", index === logId.index, () => `${index}, not ${logId.index}`);
  }
}

/** Checks a step of a leader that leads on: how the membership in force may become another. */
export function checkMembershipStep(
  before: StoredMembership<unknown>,
  state: EngineState,
  role: LeaderRole,
): void {
  const after = effectiveMembership(state);
  if (equalLogIds(before.logId, after.logId)) return;
  const waitsFor = Math.max(before.logId.index, role.firstIndex);
  holds(
    "one membership change at a time, none before the leader's own term is committed",
    state.committed.index >= waitsFor,
    () => `${after.logId.index} while ${waitsFor} is not committed`,
  );
  holds("voters change by way of a joint membership", mayFollow(before.membership, after.membership), () =>
    JSON.stringify([before.membership.configs, after.membership.configs]),
  );
}

function mayFollow(before: Membership<unknown>, after: Membership<unknown>): boolean {
  if (isJoint(before)) return !isJoint(after) && isSame(before.configs[1], after.configs[0]);
  return isSame(before.configs[0], after.configs[0]);
}

function isSame(one: readonly NodeId[] | undefined, other: readonly NodeId[] | undefined): boolean {
  return one?.join() === other?.join();
}
