import type { Model } from "../linearizability/model.js";
import { stateMachineModel } from "../linearizability/model.js";
import type { SimCommand, SimReply } from "./sim-machine.js";

/** What the simulator's clients call: commands, and reads of a key. */
export type SimInput = SimCommand | { readonly op: "get"; readonly key: string };

export type SimOutput = SimReply | readonly string[];

/** What is under a key; null for nothing. */
export type SimValue = string | number | readonly string[] | null;

/** What `SimMachine` is supposed to do with one key. Written apart from it, so that a mistake in one shows against the other. */
export const simModel: Model<SimValue, SimInput, SimOutput> = stateMachineModel<
  SimValue,
  SimInput,
  SimOutput
>({
  name: "registers, counters and sets",
  init: () => null,
  stateKey: (state) => JSON.stringify(state),
  partition: ({ key }) => key,
  effect: ({ op }) => (op === "get" ? "reads" : op === "set" ? "overwrites" : "updates"),
  inputKey: (input) => JSON.stringify(input),
  sameOutput,
  apply(state, input) {
    switch (input.op) {
      case "get":
        return { state, output: state };
      case "set":
        return { state: input.value, output: null };
      case "cas":
        return state === input.expected ? { state: input.value, output: true } : { state, output: false };
      case "add": {
        const sum = (typeof state === "number" ? state : 0) + input.by;
        return { state: sum, output: sum };
      }
      case "insert": {
        const members = Array.isArray(state) ? (state as readonly string[]) : [];
        if (members.includes(input.member)) return { state, output: false };
        return { state: [...members, input.member].sort(), output: true };
      }
    }
  },
});

function sameOutput(expected: SimOutput, seen: SimOutput): boolean {
  if (!Array.isArray(expected) || !Array.isArray(seen)) return expected === seen;
  return expected.length === seen.length && expected.every((member, i) => member === seen[i]);
}
