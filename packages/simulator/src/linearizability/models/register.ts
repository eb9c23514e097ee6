import { stateMachineModel } from "../model.js";
import type { Applied, Effect, Model, UNKNOWN_OUTPUT } from "../model.js";
import { quote } from "../safe-text.js";

/** What a register holds; null before the first write. */
export type RegisterValue = string | number | boolean | null;

/** An operation on a register. Registers with different keys have nothing to do with each other. */
export type RegisterInput =
  | { readonly f: "read"; readonly key?: string }
  | { readonly f: "write"; readonly key?: string; readonly value: RegisterValue }
  | {
      readonly f: "cas";
      readonly key?: string;
      /** Writes `value` if this is what the register holds. */
      readonly expected: RegisterValue;
      readonly value: RegisterValue;
    };

/** A read answers the value, a write null, a compare-and-set whether it wrote. */
export type RegisterOutput = RegisterValue;

/**
 * Registers with read, write and compare-and-set.
 *
 * @param initial what they hold at first; null by default.
 */
export function registerModel(
  initial: RegisterValue = null,
): Model<RegisterValue, RegisterInput, RegisterOutput> {
  return stateMachineModel<RegisterValue, RegisterInput, RegisterOutput>({
    name: "register",
    init: () => initial,
    apply,
    stateKey: keyOf,
    partition: ({ key = "" }) => key,
    effect,
    inputKey: (input) => {
      if (input.f === "read") return "read";
      return input.f === "write" ? keyOf(input.value) : `${keyOf(input.expected)}>${keyOf(input.value)}`;
    },
    describe: (input, output) => `${describeInput(input)}${describeOutput(input, output)}`,
  });
}

function apply(state: RegisterValue, input: RegisterInput): Applied<RegisterValue, RegisterOutput> {
  switch (input.f) {
    case "read":
      return { state, output: state };
    case "write":
      return { state: input.value, output: null };
    case "cas":
      return Object.is(state, input.expected)
        ? { state: input.value, output: true }
        : { state, output: false };
  }
}

function effect({ f }: RegisterInput, output: RegisterOutput | typeof UNKNOWN_OUTPUT): Effect {
  if (f === "read" || (f === "cas" && output === false)) return "reads";
  return f === "write" ? "overwrites" : "updates";
}

/** Tells 1 from "1", and 0 from -0, as `Object.is` does. */
function keyOf(value: RegisterValue): string {
  return typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : String(value);
}

function show(value: RegisterValue): string {
  return typeof value === "string" ? quote(value) : keyOf(value);
}

function describeInput(input: RegisterInput): string {
  if (input.f === "read") return "read";
  if (input.f === "write") return `write ${show(input.value)}`;
  return `cas ${show(input.expected)} to ${show(input.value)}`;
}

function describeOutput({ f }: RegisterInput, output: RegisterOutput | typeof UNKNOWN_OUTPUT): string {
  return typeof output === "symbol" || f === "write" ? "" : ` -> ${show(output)}`;
}
