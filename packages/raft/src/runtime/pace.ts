import type { AsyncRuntime, StorageVerb } from "@seshat/common";
import type { StallWatch, StorageCall } from "./stall-watch.js";

/**
 * Watches work that takes as long as its matter is large, and that makes pauses: between two of them it is to get on. What waits for its
 * turn does not hang.
 */
export class Pace {
  readonly #stalls: StallWatch;
  readonly #runtime: AsyncRuntime;
  readonly #verb: StorageVerb;
  #call: StorageCall | null = null;
  #paused = false;
  #over = false;

  constructor(stalls: StallWatch, runtime: AsyncRuntime, verb: StorageVerb) {
    this.#stalls = stalls;
    this.#runtime = runtime;
    this.#verb = verb;
  }

  /** The work goes on beside other things from here on. Work that is over at once is not watched, and costs nothing. */
  begin(): void {
    if (this.#over || this.#paused || this.#call !== null) return;
    this.#call = this.#stalls.begin(this.#verb);
  }

  /** Timers and sockets get their turn. */
  pause(): Promise<void> {
    this.#stop();
    this.#paused = true;
    return new Promise((resolve) => {
      this.#runtime.yield(() => {
        this.#paused = false;
        this.begin();
        resolve();
      });
    });
  }

  /** It is over, well or not. */
  end(): void {
    this.#over = true;
    this.#stop();
  }

  #stop(): void {
    if (this.#call !== null) this.#stalls.end(this.#call);
    this.#call = null;
  }
}
