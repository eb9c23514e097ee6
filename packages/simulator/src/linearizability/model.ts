/** What `step` answers when the output cannot come from that state. */
export const ILLEGAL: unique symbol = Symbol("illegal");

/** Stands for the output of an operation whose outcome is not known: any output will do. */
export const UNKNOWN_OUTPUT: unique symbol = Symbol("unknown output");

/**
 * What an operation does to the state, whatever the state is:
 *
 * - `"reads"`: leaves it as it is.
 * - `"overwrites"`: leaves one that does not depend on the one before.
 * - `"updates"`: anything else, and always a safe answer.
 */
export type Effect = "reads" | "overwrites" | "updates";

/**
 * What a system is supposed to do: a state, and for each operation whether its output can come from that state, and
 * which state it leaves. States are values: `step` never changes the one it is given.
 *
 * The answers must be functions of the arguments alone.
 */
export interface Model<S, I, O> {
  /** What a report calls it. */
  readonly name: string;
  /** The state before the first operation. */
  init(): S;
  /** The state that `input` leaves behind, or `ILLEGAL` if it cannot answer `output` there. An unknown output is never illegal. */
  step(state: S, input: I, output: O | typeof UNKNOWN_OUTPUT): S | typeof ILLEGAL;
  /** A text that is equal for two states exactly if no operation can ever tell them apart. */
  stateKey(state: S): string;
  /**
   * Which part of the system the input is for, e.g. its key. Parts that share nothing are checked one by one, which is
   * much cheaper (P-compositionality, Horn and Kroening 2015). By default all is one part.
   */
  partition?(input: I): string;
  /** What the operation does to the state. A true answer other than `"updates"`, the default, saves much of the search. */
  effect?(input: I, output: O | typeof UNKNOWN_OUTPUT): Effect;
  /**
   * A text that is equal for two inputs of one partition only if they do the same in every state. It keeps repeated
   * operations with unknown outcomes from being tried in every order. By default no two inputs are taken to be the same.
   */
  inputKey?(input: I): string;
  /** The operation for people to read, e.g. `set "a" -> OK`. By default its JSON. */
  describe?(input: I, output: O | typeof UNKNOWN_OUTPUT): string;
}

/** What an operation answers, and the state after it. */
export interface Applied<S, O> {
  readonly state: S;
  readonly output: O;
}

/** A model of which every operation has exactly one answer in every state. */
export interface StateMachineModel<S, I, O> extends Omit<Model<S, I, O>, "step"> {
  /** Carries out `input`. Never changes the state that it is given. */
  apply(state: S, input: I): Applied<S, O>;
  /** Whether the output seen is the one expected. By default, `Object.is`. */
  sameOutput?(expected: O, seen: O): boolean;
}

/** The model of a state machine: an output is legal if it is the one that the state machine gives. */
export function stateMachineModel<S, I, O>(machine: StateMachineModel<S, I, O>): Model<S, I, O> {
  const sameOutput = (expected: O, seen: O): boolean =>
    machine.sameOutput?.(expected, seen) ?? Object.is(expected, seen);
  return {
    name: machine.name,
    init: () => machine.init(),
    step(state, input, output) {
      const applied = machine.apply(state, input);
      return output === UNKNOWN_OUTPUT || sameOutput(applied.output, output) ? applied.state : ILLEGAL;
    },
    stateKey: (state) => machine.stateKey(state),
    partition: (input) => machine.partition?.(input) ?? "",
    effect: (input, output) => machine.effect?.(input, output) ?? "updates",
    ...(machine.inputKey === undefined ? {} : { inputKey: machine.inputKey.bind(machine) }),
    ...(machine.describe === undefined ? {} : { describe: machine.describe.bind(machine) }),
  };
}
