import type { LogId } from "@seshat/common";
import { formatLogId, formatVote, isVoter, voteMayBecome } from "@seshat/common";
import type { EngineStep } from "@seshat/raft";
import type { EngineState, ObservedNode } from "./observed-node.js";
import { effective } from "./observed-node.js";
import { Violation } from "./violation.js";

/*
 * What one node may do in one step (A1 to A8, A11). Written apart from the checks that the engine makes of itself, and from what can be seen from
 * outside, so that a rule that is wrong in both places of the engine still shows.
 */

/** @param isCommitted whether this entry was committed, by anybody. */
export function checkStep(
  name: string,
  node: ObservedNode,
  step: EngineStep,
  isCommitted: (logId: LogId) => boolean,
): void {
  const { state } = step;
  checkVote(name, node, step);
  checkLog(name, node, step, isCommitted);
  checkApply(name, node, step);
  checkOrder(name, node, state);
  checkRole(name, node, state);
}

function checkOrder(name: string, node: ObservedNode, state: EngineState): void {
  const { log, snapshot, applied, committed, dispatchedIndex } = state;
  const purged = log.purged.index;
  const built = snapshot.lastLogId.index;
  const last = log.last.index;
  if (purged > built || built > applied.index || applied.index > committed.index || committed.index > last) {
    const order = [purged, built, applied.index, committed.index, last];
    throw new Violation(
      "A1 order of the log",
      `${name}: purged, snapshot, applied, committed and last are ${order.join(", ")}`,
    );
  }
  if (dispatchedIndex > node.held) {
    throw new Violation(
      "A1 applied within durable",
      `${name} applies up to ${dispatchedIndex}, and ${node.held} is durable`,
    );
  }
  if (committed.index < node.committed.index) {
    throw new Violation(
      "A4 committed never falls",
      `${name} had committed ${formatLogId(node.committed)}, and now ${formatLogId(committed)}`,
    );
  }
}

function checkVote(name: string, node: ObservedNode, { event, state }: EngineStep): void {
  const { vote } = state;
  if (vote.term < node.vote.term)
    throw new Violation(
      "A2 terms never fall",
      `${name} was in term ${node.vote.term}, and is in ${vote.term}`,
    );
  if (!voteMayBecome(node.vote, vote)) {
    throw new Violation(
      "A3 one vote a term",
      `${name} had the vote ${formatVote(node.vote)}, and has ${formatVote(vote)}`,
    );
  }
  const term = answeredTerm(event);
  if (term > vote.term) {
    throw new Violation(
      "A2 later terms are taken over",
      `${name} got a ${event.type} of term ${term}, and stays in ${vote.term}`,
    );
  }
}

/** The term of the answer that an event brings; 0 for none. */
function answeredTerm(event: EngineStep["event"]): number {
  switch (event.type) {
    case "voteResponse":
    case "preVoteResponse":
    case "appendEntriesResponse":
    case "installSnapshotResponse":
      return event.response.term;
    default:
      return 0;
  }
}

function checkApply(name: string, node: ObservedNode, { event, commands, state }: EngineStep): void {
  const rule = "A5 applied moves on one by one";
  if (state.applied.index < node.applied) {
    throw new Violation(rule, `${name} had applied ${node.applied}, and now ${state.applied.index}`);
  }
  let dispatched = event.type === "snapshotInstalled" ? null : node.dispatched;
  for (const command of commands) {
    if (command.type !== "apply") continue;
    if (dispatched !== null && command.since !== dispatched + 1) {
      throw new Violation(rule, `${name} applies from ${command.since} on, after ${dispatched}`);
    }
    dispatched = command.upto;
  }
}

function checkLog(
  name: string,
  node: ObservedNode,
  { commands, state }: EngineStep,
  isCommitted: (logId: LogId) => boolean,
): void {
  const { terms } = node;
  let last = node.lastIndex;
  for (const command of commands) {
    if (command.type === "purge" && command.upto.index >= last) {
      last = command.upto.index;
      terms.set(last, command.upto.term);
    } else if (command.type === "truncate") {
      checkTruncation(name, node, state, command.since, isCommitted);
      for (let index = last; index >= command.since; index -= 1) terms.delete(index);
      last = Math.min(last, command.since - 1);
    } else if (command.type === "append") {
      for (const { logId } of command.entries) {
        if (logId.index !== last + 1 || logId.term < (terms.get(last) ?? 0) || logId.term > state.vote.term) {
          throw new Violation(
            "A6 terms rise along the log, without a gap",
            `${name} appends ${formatLogId(logId)} after ${terms.get(last) ?? "?"}-${last} in term ${state.vote.term}`,
          );
        }
        last = logId.index;
        terms.set(last, logId.term);
      }
    }
  }
}

function checkTruncation(
  name: string,
  node: ObservedNode,
  state: EngineState,
  since: number,
  isCommitted: (logId: LogId) => boolean,
): void {
  const logId = { term: node.terms.get(since) ?? -1, index: since };
  if (node.role === "leader" && state.role.type === "leader") {
    throw new Violation("A7 a leader only appends", `${name} leads, and truncates ${formatLogId(logId)}`);
  }
  if (since <= node.committed.index || isCommitted(logId)) {
    throw new Violation(
      "A8 committed entries stay",
      `${name} truncates ${formatLogId(logId)}, which is committed`,
    );
  }
}

function checkRole(name: string, { role }: ObservedNode, state: EngineState): void {
  const { type } = state.role;
  if (type !== "leader" && type !== "candidate" && type !== "preCandidate") return;
  const { id, memberships, committed } = state;
  const { logId, membership } = effective(state);
  // One that leaves may be needed until the membership without it is committed (Raft thesis section 4.2.2).
  const isNeeded = memberships.some((stored) => isVoter(stored.membership, id));
  // Who was needed and won leads until then, also when a joint membership without it, which it found in its log, is committed before.
  const goesOn = type === "leader" && role === "leader";
  const isGone = type === "leader" && !isVoter(membership, id) && committed.index >= logId.index;
  if (!(isNeeded || goesOn) || isGone) {
    throw new Violation(
      "A11 only voters stand and lead",
      `${name} is ${type}, and the voters are ${JSON.stringify(membership.configs)}`,
    );
  }
}
