import type { RaftTypeConfig } from "@seshat/common";
import { checkLinearizability } from "../linearizability/check-linearizability.js";
import { linearizabilityReport } from "../linearizability/report.js";
import { linearizabilityTimeline } from "../linearizability/timeline.js";
import { Violation } from "../oracle/violation.js";
import type { Run } from "./run.js";

/** What one history may cost to judge; one that costs more is undecided, and counted so. */
const MAX_STEPS = 2_000_000;

/** C8: there is an order of what clients did that explains what they saw. */
export function judgeHistory<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): void {
  const { model } = run.system;
  if (run.over || model === undefined) return;
  const result = checkLinearizability(run.history.history(), model, { maxSteps: MAX_STEPS });
  run.count(`histories ${result.verdict}`);
  if (result.verdict !== "illegal") return;
  run.picture = linearizabilityTimeline(result.part, model);
  run.fail(new Violation("C8 linearizability", linearizabilityReport(result, model)));
}
