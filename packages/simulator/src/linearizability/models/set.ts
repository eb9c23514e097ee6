import { stateMachineModel } from "../model.js";
import type { Applied, Effect, Model, UNKNOWN_OUTPUT } from "../model.js";
import { quote, shorten, visible } from "../safe-text.js";

/** An operation on a set of texts. Sets with different keys have nothing to do with each other. */
export type SetInput =
  | { readonly f: "add" | "remove" | "has"; readonly key?: string; readonly element: string }
  /** Answers all elements. */
  | { readonly f: "read"; readonly key?: string };

/** Whether `add` or `remove` changed anything, whether the set has the element, or all elements, in any order. */
export type SetOutput = boolean | readonly string[];

/**
 * Sets, empty at first. Each change copies the set, so that a history with `n` elements in one set takes time and memory in
 * proportion to the square of `n`: some thousands are well, and beyond that the budget ends the search.
 */
export function setModel(): Model<ReadonlySet<string>, SetInput, SetOutput> {
  return MODEL;
}

const MODEL = stateMachineModel<ReadonlySet<string>, SetInput, SetOutput>({
  name: "set",
  init: () => new Set(),
  apply,
  sameOutput: (expected, seen) => {
    if (typeof expected === "boolean" || typeof seen === "boolean") return expected === seen;
    const distinct = new Set(seen);
    return (
      distinct.size === seen.length &&
      distinct.size === expected.length &&
      expected.every((element) => distinct.has(element))
    );
  },
  stateKey: (state) => JSON.stringify([...state].sort()),
  partition: ({ key = "" }) => key,
  effect,
  inputKey: (input) => (input.f === "read" ? "read" : `${input.f} ${input.element}`),
  describe: (input, output) => {
    const call = input.f === "read" ? "read" : `${input.f} ${quote(input.element)}`;
    return typeof output === "symbol" ? call : `${call} -> ${visible(shorten(JSON.stringify(output)))}`;
  },
});

function apply(state: ReadonlySet<string>, input: SetInput): Applied<ReadonlySet<string>, SetOutput> {
  if (input.f === "read") return { state, output: [...state] };
  const has = state.has(input.element);
  if (input.f === "has") return { state, output: has };
  if (has === (input.f === "add")) return { state, output: false };
  const changed = new Set(state);
  if (has) changed.delete(input.element);
  else changed.add(input.element);
  return { state: changed, output: true };
}

function effect({ f }: SetInput, output: SetOutput | typeof UNKNOWN_OUTPUT): Effect {
  return f === "read" || f === "has" || output === false ? "reads" : "updates";
}
