import type { LogId } from "@seshat/common";
import { formatLogId, formatVote, voteMayBecome } from "@seshat/common";
import type { EngineState, ObservedNode } from "./observed-node.js";
import { Violation } from "./violation.js";

const RULE = "A13 what was durable is read back";

/** A13: a life finds on its disk what was durable, or more of what was written, and nothing else. */
export function checkRecovery(name: string, before: ObservedNode, state: EngineState): void {
  const { durableVote, settledIndex, terms, written } = before;
  if (!voteMayBecome(durableVote, state.vote)) {
    throw new Violation(
      RULE,
      `${name} had the vote ${formatVote(durableVote)}, and comes back with ${formatVote(state.vote)}`,
    );
  }
  const { purged, last } = state.log;
  for (let index = purged.index + 1; index <= settledIndex; index += 1) {
    const term = terms.get(index);
    if (term === undefined || state.log.termAt(index) === term) continue;
    throw new Violation(
      RULE,
      `${name} had ${term}-${index}, and comes back with ${state.log.termAt(index) ?? "nothing"} there`,
    );
  }
  for (let index = Math.max(purged.index, settledIndex) + 1; index <= last.index; index += 1) {
    const logId = { term: state.log.termAt(index) ?? 0, index };
    if (!written.has(logId)) {
      throw new Violation(
        RULE,
        `${name} comes back with ${formatLogId(logId)}, which it did not hold any more`,
      );
    }
  }
}

/** A13: a node that is recovered appends after what was durable, and not instead. What was not is gone by then. */
export function checkRecovered(before: ObservedNode, logId: LogId): void {
  if (logId.index <= before.settledIndex) {
    throw new Violation(
      RULE,
      `${before.name} is recovered with ${formatLogId(logId)}, and had entries up to ${before.settledIndex}`,
    );
  }
  before.goneFrom(logId.index);
}

/** A4: what a store knew to be committed is so after a restart, as far as the log holds it. @param hint what the store says. */
export function checkHint(name: string, hint: LogId, { committed, log }: EngineState): void {
  if (committed.index >= hint.index || log.termAt(hint.index) !== hint.term) return;
  throw new Violation(
    "A4 committed never falls",
    `${name} had stored that ${formatLogId(hint)} is committed, and begins with ${formatLogId(committed)}`,
  );
}
