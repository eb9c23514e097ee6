import type { AsyncRuntime } from "@seshat/common";
import { withTimeout } from "./with-timeout.js";

/**
 * Keeps writes to one key in order: each waits until those before it on any of its keys are settled. Others go side by
 * side, and since they have no key in common nobody can tell in which order they took effect.
 */
export class KeyOrder {
  readonly #clock: AsyncRuntime;
  /** The last write to each key that one is under way for. */
  readonly #last = new Map<string, Promise<void>>();

  constructor(clock: AsyncRuntime) {
    this.#clock = clock;
  }

  /** How many keys writes are under way for, or wait for their turn. */
  get size(): number {
    return this.#last.size;
  }

  /**
   * Carries out a write when its turn comes.
   *
   * @param timeoutMs how long turn and write may take together, in milliseconds.
   * @param write called with what is left of the time, at least 1.
   * @throws {TimeoutError} when its turn did not come in time: `write` was not called.
   */
  async run<T>(
    keys: readonly Uint8Array[],
    timeoutMs: number,
    write: (timeoutMs: number) => Promise<T>,
  ): Promise<T> {
    const deadline = this.#clock.now() + timeoutMs;
    const names = new Set(keys.map(nameOf));
    const before = [...names].flatMap((name) => this.#last.get(name) ?? []);
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
    for (const name of names) this.#last.set(name, settled);
    const done = (): void => {
      settle();
      for (const name of names) if (this.#last.get(name) === settled) this.#last.delete(name);
    };
    if (before.length === 0) {
      try {
        return await write(timeoutMs);
      } finally {
        done();
      }
    }
    const turn = Promise.all(before);
    try {
      await withTimeout(
        this.#clock,
        turn,
        timeoutMs,
        "the end of the writes to the same key before this one",
      );
      return await write(Math.max(1, Math.floor(deadline - this.#clock.now())));
    } finally {
      // One that gave up waiting must not let those behind it past those before it.
      void turn.then(done);
    }
  }
}

/** One character a byte. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}
