import type { LogId, StoredMembership, Vote } from "@seshat/common";
import { voteMayBecome } from "@seshat/common";
import { holds } from "./holds.js";
import { checkLeader, checkMembershipStep } from "./leader-invariants.js";
import { effectiveMembership, mayBeNeeded } from "./membership-state.js";
import type { EngineState } from "./state.js";

/**
 * What must hold in every state of one node, and from each state to the next. Checked after every step in tests and
 * simulations; each throws an error that starts with the name of the rule.
 */

/** The parts of a state that transitions are judged by. */
export interface StateSummary {
  readonly vote: Vote;
  readonly role: EngineState["role"]["type"];
  readonly lastLogId: LogId;
  readonly committed: LogId;
  readonly applied: number;
  readonly purged: number;
  readonly snapshot: number;
  readonly dispatched: number;
  readonly installing: boolean;
  /** The membership in force. */
  readonly membership: StoredMembership<unknown>;
}

/** Copies what {@link checkTransition} needs before a step. */
export function summarize(state: EngineState): StateSummary {
  return {
    vote: state.vote,
    role: state.role.type,
    lastLogId: state.log.last,
    committed: state.committed,
    applied: state.applied.index,
    purged: state.log.purged.index,
    snapshot: state.snapshot.lastLogId.index,
    dispatched: state.dispatchedIndex,
    installing: state.snapshot.installing !== null,
    membership: effectiveMembership(state),
  };
}

/** Checks one state. */
export function checkState(state: EngineState): void {
  const { log, snapshot, applied, committed, io, vote, role } = state;
  const order = [
    log.purged.index,
    snapshot.lastLogId.index,
    applied.index,
    state.dispatchedIndex,
    committed.index,
    log.last.index,
  ];
  holds(
    "order of the log",
    order.every((index, i) => i === 0 || (order[i - 1] as number) <= index),
    () => order.join(" <= "),
  );
  holds(
    "durable within the log",
    io.durableIndex <= log.last.index,
    () => `${io.durableIndex} > ${log.last.index}`,
  );
  holds(
    "applied within durable",
    state.dispatchedIndex <= io.durableIndex,
    () => `${state.dispatchedIndex} > ${io.durableIndex}`,
  );
  holds("log term within term", log.last.term <= vote.term, () => `${log.last.term} > ${vote.term}`);
  holds("committed is in the log", committed.index < log.purged.index || log.has(committed), () =>
    JSON.stringify(committed),
  );
  const terms = log.ranges().map((range) => range.term);
  holds(
    "terms rise along the log",
    terms.every((term, i) => i === 0 || (terms[i - 1] as number) < term),
    () => terms.join(),
  );
  const members = state.memberships.map((stored) => stored.logId.index);
  holds(
    "memberships in order",
    members.every((index, i) => i === 0 || (members[i - 1] as number) < index),
    () => members.join(),
  );
  holds(
    "memberships in the log",
    (members.at(-1) as number) <= log.last.index,
    () => `${members.at(-1)} > ${log.last.index}`,
  );
  holds("one committed membership", (members[1] ?? Infinity) > committed.index, () => members.join());
  if (role.type === "candidate" || role.type === "leader") {
    holds("candidates and leaders vote for themselves", vote.votedFor === state.id, () =>
      JSON.stringify(vote),
    );
  }
  if (role.type === "leader") checkLeader(state, role);
  else {
    holds("voters follow, others learn", mayBeNeeded(state) === (role.type !== "learner"), () => role.type);
  }
  checkHindrances(state);
}

/** Checks what keeps a node from taking part. */
function checkHindrances({ role, stalled, snapshot, dispatchedIndex, transfer, vote }: EngineState): void {
  const isPassive = role.type === "follower" || role.type === "learner";
  holds("whose storage hangs neither leads nor stands", stalled === null || isPassive, () => role.type);
  const { installing } = snapshot;
  if (installing !== null) {
    holds("who installs a snapshot neither leads nor stands", isPassive, () => role.type);
    holds(
      "a snapshot is installed over older state",
      dispatchedIndex < installing.lastLogId.index,
      () => `${dispatchedIndex} >= ${installing.lastLogId.index}`,
    );
  }
  holds(
    "a transfer is of a term that was",
    transfer === null || transfer.term <= vote.term,
    () => `${transfer?.term} > ${vote.term}`,
  );
}

/** Checks the step from `before` to `state`. */
export function checkTransition(before: StateSummary, state: EngineState): void {
  const { log, committed } = state;
  holds("the vote never regresses", voteMayBecome(before.vote, state.vote), () =>
    JSON.stringify([before.vote, state.vote]),
  );
  holds(
    "committed never falls",
    committed.index >= before.committed.index,
    () => `${before.committed.index} > ${committed.index}`,
  );
  holds(
    "applied never falls",
    state.applied.index >= before.applied,
    () => `${before.applied} > ${state.applied.index}`,
  );
  holds(
    "purged never falls",
    log.purged.index >= before.purged,
    () => `${before.purged} > ${log.purged.index}`,
  );
  holds(
    "snapshots never fall back",
    state.snapshot.lastLogId.index >= before.snapshot,
    () => `${before.snapshot}`,
  );
  holds(
    "committed entries stay",
    before.committed.index < log.purged.index || log.has(before.committed),
    () => JSON.stringify(before.committed),
  );
  holds(
    "nothing is applied while a snapshot is installed",
    !before.installing || state.snapshot.installing === null || state.dispatchedIndex === before.dispatched,
    () => `${before.dispatched}, then ${state.dispatchedIndex}`,
  );
  if (before.role === "leader" && state.role.type === "leader") {
    holds(
      "a leader only appends",
      before.lastLogId.index < log.purged.index || log.has(before.lastLogId),
      () => JSON.stringify(before.lastLogId),
    );
    checkMembershipStep(before.membership, state, state.role);
  }
}
