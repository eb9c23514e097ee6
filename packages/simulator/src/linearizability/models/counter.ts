import { stateMachineModel } from "../model.js";
import type { Model } from "../model.js";

/** An operation on a counter. Counters with different keys have nothing to do with each other. */
export type CounterInput =
  | { readonly f: "read"; readonly key?: string }
  /** Adds, and answers nothing. */
  | { readonly f: "add"; readonly key?: string; readonly by: number }
  /** Adds, and answers the sum. */
  | { readonly f: "addAndGet"; readonly key?: string; readonly by: number };

/** The value, or null for `add`. */
export type CounterOutput = number | null;

/** Counters that begin at 0. Sums are exact as long as they are integers within 2^53. */
export function counterModel(): Model<number, CounterInput, CounterOutput> {
  return MODEL;
}

const MODEL = stateMachineModel<number, CounterInput, CounterOutput>({
  name: "counter",
  init: () => 0,
  apply: (state, input) => {
    if (input.f === "read") return { state, output: state };
    const sum = state + input.by;
    return { state: sum, output: input.f === "add" ? null : sum };
  },
  // There is but one zero here.
  sameOutput: (expected, seen) => expected === seen,
  stateKey: (state) => String(state),
  partition: ({ key = "" }) => key,
  effect: (input) => (input.f === "read" ? "reads" : "updates"),
  inputKey: (input) => (input.f === "read" ? "read" : String(input.by)),
  describe: (input, output) => {
    const call = input.f === "read" ? "read" : `${input.f} ${input.by}`;
    return typeof output === "symbol" || input.f === "add" ? call : `${call} -> ${output}`;
  },
});
