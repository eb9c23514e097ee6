import type { AsyncRuntime } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import { systemRuntime } from "../runtime/clock.js";
import { toError } from "../runtime/failure.js";
import type { SeededRandom } from "./seeded-random.js";

interface Task {
  readonly at: number;
  /** Tasks of one moment run in the order in which they were set. */
  readonly order: number;
  callback: (() => void) | null;
}

/** Turns of the event loop that are asked for at once. */
const MAX_BURST = 64;

/**
 * Time that stands still until it is moved. Timers and yields of every runtime made here run in one order, and nothing
 * waits for a real clock: a minute of elections takes milliseconds.
 */
export class VirtualClock {
  #now = 0;
  #order = 0;
  /** A binary heap, earliest first. */
  readonly #tasks: Task[] = [];

  /** Milliseconds since this clock was made. */
  get now(): number {
    return this.#now;
  }

  /** The runtime of one node on this clock. */
  runtime(random: SeededRandom): AsyncRuntime {
    return {
      now: () => this.#now,
      setTimer: (delayMs, callback) => {
        const task = this.#add(this.#now + Math.max(0, delayMs), callback);
        return {
          cancel: () => {
            task.callback = null;
          },
        };
      },
      soon: (callback) => queueMicrotask(callback),
      yield: (callback) => {
        this.#add(this.#now, callback);
      },
      random: () => random.next(),
    };
  }

  /** Moves time on by `ms` milliseconds and runs everything that becomes due, in order. */
  async advance(ms: number): Promise<void> {
    checkSpan("ms", ms);
    const until = this.#now + ms;
    await this.#runWhile(() => (this.#tasks[0]?.at ?? Number.POSITIVE_INFINITY) <= until);
    this.#now = until;
  }

  /**
   * Moves time on until `condition` holds, looking after every task.
   *
   * @throws {Error} when it does not within `limitMs` milliseconds, or nothing is left that could make it.
   * @throws {InvalidValueError} when `limitMs` is no such time.
   */
  async runUntil(what: string, condition: () => boolean, limitMs: number): Promise<void> {
    checkSpan("limitMs", limitMs);
    const until = this.#now + limitMs;
    await settle();
    await this.#runWhile(() => !condition() && (this.#tasks[0]?.at ?? Number.POSITIVE_INFINITY) <= until);
    if (!condition()) throw new Error(`${what} did not happen within ${limitMs} virtual milliseconds`);
  }

  /** Moves time on until `promise` settles, for at most `limitMs` milliseconds. @returns its value. */
  async runUntilSettled<T>(promise: Promise<T>, limitMs: number): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    await this.runUntil("the promise to settle", () => settled, limitMs);
    return promise;
  }

  /** Runs tasks as long as `goOn` says so, and lets every promise go on as far as it can between two of them. */
  async #runWhile(goOn: () => boolean): Promise<void> {
    await settle();
    return new Promise((resolve, reject) => {
      let over = false;
      const turn = (): void => {
        if (over) return;
        try {
          if (this.#runNext(goOn)) return;
          over = true;
          resolve();
        } catch (thrown) {
          over = true;
          reject(toError(thrown));
        }
      };
      // Macrotasks that are asked for together follow each other without a round of the event loop, and microtasks still run in between.
      const burst = (turns: number): void => {
        for (let i = 0; i < turns; i += 1) systemRuntime.yield(turn);
        systemRuntime.yield(() => {
          if (!over) burst(Math.min(2 * turns, MAX_BURST));
        });
      };
      burst(1);
    });
  }

  /** Runs the earliest task that was not cancelled. @returns false when `goOn` says that it is not to be run. */
  #runNext(goOn: () => boolean): boolean {
    while (goOn()) {
      const task = this.#take();
      if (task.callback === null) continue;
      this.#now = Math.max(this.#now, task.at);
      task.callback();
      return true;
    }
    return false;
  }

  #add(at: number, callback: () => void): Task {
    const task: Task = { at, order: this.#order++, callback };
    const heap = this.#tasks;
    let i = heap.push(task) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(task, heap[parent] as Task)) break;
      heap[i] = heap[parent] as Task;
      i = parent;
    }
    heap[i] = task;
    return task;
  }

  #take(): Task {
    const heap = this.#tasks;
    const first = heap[0] as Task;
    const last = heap.pop() as Task;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child++;
      if (!isBefore(heap[child] as Task, last)) break;
      heap[i] = heap[child] as Task;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function checkSpan(field: string, ms: number): void {
  if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) {
    throw new InvalidValueError(field, ms, "a finite time in milliseconds of at least 0");
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}

/** Lets every promise that can go on do so: microtasks end before the next macrotask begins. */
function settle(): Promise<void> {
  return new Promise((resolve) => systemRuntime.yield(resolve));
}
