import { equalLogIds, formatLogId } from "@seshat/common";
import type { Refusal } from "./command.js";
import type { WriteExpectation } from "./event.js";
import { effectiveMembership } from "./membership-state.js";
import type { EngineState } from "./state.js";

/** What of `expect` does not hold; null when all of it does. */
export function unmetExpectation(state: EngineState, expect: WriteExpectation): Refusal | null {
  const { term } = state.vote;
  if (expect.leaderTerm !== undefined && expect.leaderTerm !== term) {
    return { code: "preconditionFailed", found: `the leader's term is ${term}` };
  }
  const { logId } = effectiveMembership(state);
  if (expect.membershipLogId !== undefined && !equalLogIds(expect.membershipLogId, logId)) {
    return {
      code: "preconditionFailed",
      found: `the membership in force is that of entry ${formatLogId(logId)}`,
    };
  }
  return null;
}
