import { checkInteger } from "@seshat/common";
import type { StateMachine } from "../state-machine.js";
import type { MaybePromise } from "../traits/maybe-promise.js";
import { CaseRandom } from "./case-random.js";
import type { ConformanceCase, Settle } from "./conformance-case.js";
import { conformanceCase, withinMs } from "./conformance-case.js";
import { DETERMINISM, RAFT, SNAPSHOTS } from "./machine-rules.js";

/** Makes the state machines that a suite tries, and commands for them. */
export interface StateMachineFactory<D, R> {
  /** A new one, to which nothing has been applied. */
  create(): MaybePromise<StateMachine<D, R>>;

  /** A command that a client may send, sensible or not: whatever `random` makes of it. */
  command(random: CaseRandom): D;

  /** Sees to it that a case ends. Default: the clock of the machine, and `timeoutMs`. */
  readonly settle?: Settle;
}

/** How much a suite tries. */
export interface StateMachineConformanceOptions {
  /** Commands of one run. Default 200. */
  readonly commands?: number;
  /** Decides which commands those are. Default 1. */
  readonly seed?: number;
  /** How long a case may take in milliseconds, without a `settle` of the factory. Default 30,000. */
  readonly timeoutMs?: number;
}

/**
 * The rules of `StateMachine` as cases for any test runner. Where replicas come apart, the case says at which command, and what they
 * asked that they may not ask: clocks and random numbers are replaced one at a time, only while the state machine runs.
 *
 * @throws {InvalidValueError} when an option is none.
 */
export function stateMachineConformance<D, R>(
  factory: StateMachineFactory<D, R>,
  { commands = 200, seed = 1, timeoutMs = 30_000 }: StateMachineConformanceOptions = {},
): readonly ConformanceCase[] {
  checkInteger("options.commands", commands, 2);
  checkInteger("options.seed", seed, 0);
  checkInteger("options.timeoutMs", timeoutMs, 1);
  const again = (): readonly D[] => {
    const random = new CaseRandom(seed);
    return Array.from({ length: commands }, () => factory.command(random));
  };
  const settle = factory.settle ?? withinMs(timeoutMs);
  return [...DETERMINISM, ...SNAPSHOTS, ...RAFT].map(({ group, name, run }) =>
    conformanceCase(group, name, settle, () => ({
      body: () => run({ create: async () => factory.create(), commands: again(), again, seed }),
    })),
  );
}
