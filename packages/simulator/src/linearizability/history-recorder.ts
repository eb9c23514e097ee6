import { InvalidValueError, checkInteger } from "@seshat/common";
import type { Operation } from "./operation.js";

export interface HistoryRecorderOptions {
  /**
   * Tells the time, which never goes back. By default every event has a moment of its own, counted from 1: within one
   * process that is the exact order, and more than a clock can tell.
   */
  readonly now?: () => number;
  /** How many operations may be recorded. By default 1,000,000. */
  readonly maxOperations?: number;
}

/** An operation that was called. Exactly one of its methods is to be called once, or none if nothing is ever heard of it. */
export interface OpenOperation<O> {
  /** It was answered. */
  ok(output: O): void;
  /** Nobody knows what came of it: it may have taken effect, may do so later, or never. */
  unknown(): void;
  /** It was refused, and certainly has no effect, now or later. */
  fail(): void;
}

/** Writes down what the clients of one process do and see. */
export class HistoryRecorder<I, O> {
  readonly #operations: Operation<I, O>[] = [];
  readonly #now: () => number;
  readonly #maxOperations: number;
  #latest = -Infinity;

  /** @throws {InvalidValueError} that names the option. */
  constructor(options: HistoryRecorderOptions = {}) {
    let events = 0;
    this.#now = options.now ?? (() => (events += 1));
    this.#maxOperations = checkInteger("options.maxOperations", options.maxOperations ?? 1_000_000, 1);
  }

  /** How many operations were called. */
  get size(): number {
    return this.#operations.length;
  }

  /**
   * Records a call, which is to be made after this. What came of it is told to the answer. A client must have told what came of
   * one operation before it calls the next.
   *
   * @throws {InvalidValueError} when there are too many operations, or the clock went back.
   */
  invoke(client: string | number, input: I): OpenOperation<O> {
    const index = this.#operations.length;
    if (index >= this.#maxOperations) {
      throw new InvalidValueError("operations", index + 1, `at most maxOperations, ${this.#maxOperations}`);
    }
    const called = { client, input, call: this.#read() };
    this.#operations.push({ ...called, status: "unknown", ret: null });
    let isOpen = true;
    const settle = (outcome: (ret: number) => Operation<I, O>): void => {
      if (!isOpen) throw new InvalidValueError(`operations[${index}]`, "settled", "settled only once");
      this.#operations[index] = outcome(this.#read());
      isOpen = false;
    };
    return {
      ok: (output) => settle((ret) => ({ ...called, status: "ok", output, ret })),
      unknown: () => settle((ret) => ({ ...called, status: "unknown", ret })),
      fail: () => settle((ret) => ({ ...called, status: "fail", ret })),
    };
  }

  /** What was recorded so far, by calls. What is open has an unknown outcome. Later events do not change what is returned. */
  history(): Operation<I, O>[] {
    return [...this.#operations];
  }

  #read(): number {
    const now = this.#now();
    if (!Number.isFinite(now) || now < this.#latest) {
      const least = Number.isFinite(this.#latest) ? ` of at least ${this.#latest}, the time before` : "";
      throw new InvalidValueError("options.now()", now, `a finite number${least}`);
    }
    this.#latest = now;
    return now;
  }
}
