import type { MaybePromise } from "@seshat/storage";
import { Fifo } from "./fifo.js";
import { isPending } from "./maybe-promise.js";

/**
 * Runs tasks one after another: at once while they answer synchronously, without a turn of the event loop. After a
 * failure it runs nothing more.
 */
export class SerialQueue<T> {
  readonly #run: (task: T) => MaybePromise<void>;
  readonly #failed: (error: unknown) => void;
  #tasks = new Fifo<T>();
  #running = false;
  #closed = false;
  /** Who waits for the queue to come to rest after it was closed. */
  readonly #whenIdle: (() => void)[] = [];

  constructor(run: (task: T) => MaybePromise<void>, failed: (error: unknown) => void) {
    this.#run = run;
    this.#failed = failed;
  }

  /** The task that was added last and has not started, if any. */
  get newest(): T | undefined {
    return this.#tasks.last;
  }

  /** Replaces the task that was added last and has not started. */
  replaceNewest(task: T): void {
    this.#tasks.last = task;
  }

  push(task: T): void {
    if (this.#closed) return;
    if (this.#running) this.#tasks.push(task);
    else {
      this.#running = true;
      if (this.#start(task)) this.#drain();
    }
  }

  /**
   * Lets the caller run a task itself, when none runs or waits, as it mostly is: through the queue the compiler does not see what is called.
   *
   * @returns false when the task is to be pushed. Otherwise {@link leave} or {@link fail} has to follow at once, with what came of it.
   */
  enter(): boolean {
    if (this.#running || this.#closed) return false;
    this.#running = true;
    return true;
  }

  /** The task that was entered gave `result`. */
  leave(result: MaybePromise<void>): void {
    if (isPending(result)) this.#await(result);
    else if (this.#tasks.length > 0) this.#drain();
    else this.#rest();
  }

  /** The task that was entered, or one that was started, failed. */
  fail(error: unknown): void {
    this.#closed = true;
    this.#tasks = new Fifo();
    this.#failed(error);
    this.#rest();
  }

  /** Starts nothing more. @returns once the running task has ended. */
  close(): Promise<void> {
    this.#closed = true;
    this.#tasks = new Fifo();
    if (!this.#running) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }

  #drain(): void {
    while (this.#tasks.length > 0) if (!this.#start(this.#tasks.shift() as T)) return;
    this.#rest();
  }

  /** @returns true when the task is over, and the next may start. */
  #start(task: T): boolean {
    try {
      const result = this.#run(task);
      if (!isPending(result)) return true;
      this.#await(result);
    } catch (error) {
      this.fail(error);
    }
    return false;
  }

  #await(result: Promise<void>): void {
    result.then(
      () => this.#drain(),
      (error: unknown) => this.fail(error),
    );
  }

  #rest(): void {
    this.#running = false;
    if (this.#whenIdle.length > 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
