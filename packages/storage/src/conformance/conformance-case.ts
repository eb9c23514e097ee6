import { SeshatError } from "@seshat/common";
import { Mismatch } from "./check.js";

/** One rule, and a way to see whether an implementation keeps it. */
export interface ConformanceCase {
  /** What the rule is about, e.g. `"log"`. */
  readonly group: string;
  /** The rule, as a sentence. No two cases of a suite have the same. */
  readonly name: string;
  /** Needs no `this`. @throws {ConformanceError} when the rule is broken. */
  readonly run: () => Promise<void>;
}

/** An implementation broke a rule. What it threw itself, if anything, is the cause. */
export class ConformanceError extends SeshatError {
  override readonly code = "conformance";
  readonly group: string;
  /** The name of the case. */
  readonly rule: string;
  /** What was found instead. */
  readonly problem: string;

  constructor(group: string, rule: string, problem: string, options?: ErrorOptions) {
    super(`${group}: "${rule}" does not hold: ${problem}`, options);
    this.group = group;
    this.rule = rule;
    this.problem = problem;
  }
}

/**
 * Sees to it that a promise settles, or fails. On virtual time it moves the clock.
 *
 * @returns what the promise does.
 */
export type Settle = <T>(outcome: Promise<T>) => Promise<T>;

/** Waits on the clock of the machine, for at most `ms` milliseconds: a bound for what hangs, and no measure of speed. */
export function withinMs(ms: number): Settle {
  return <T>(outcome: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Mismatch(`it did not end within ${ms} ms: some call never ends`));
      }, ms);
      const stop = (): void => clearTimeout(timer);
      outcome.then(resolve, reject).then(stop, stop);
    });
}

/** One run of a case. */
export interface Trial {
  body(): Promise<void>;
  /** Called once the body is over, also when it was given up because it hangs. Default: nothing has to be done. */
  cleanUp?(): Promise<void>;
}

/** Makes a case. Whatever its body throws becomes a {@link ConformanceError}; what its cleaning up throws, only where the body did well. */
export function conformanceCase(
  group: string,
  name: string,
  settle: Settle,
  prepare: () => Trial,
): ConformanceCase {
  const failed = (cause: unknown): never => {
    throw new ConformanceError(group, name, problemOf(cause), { cause });
  };
  const run = async (): Promise<void> => {
    const trial = prepare();
    const cleanUp = async (): Promise<void> => trial.cleanUp?.();
    try {
      await settle(trial.body());
    } catch (cause) {
      await settle(cleanUp()).catch(() => {});
      return failed(cause);
    }
    await settle(cleanUp()).catch(failed);
  };
  return { group, name, run };
}

function problemOf(cause: unknown): string {
  if (cause instanceof Mismatch) return cause.message;
  return cause instanceof Error
    ? `it failed with ${cause.name}: ${cause.message}`
    : `it threw ${String(cause)}`;
}
