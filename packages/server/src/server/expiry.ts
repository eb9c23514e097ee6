import type { KvStateMachine } from "@seshat/kv";
import type { Raft } from "@seshat/raft";
import type { LeaderClock } from "../gateway/leader-clock.js";
import type { ServerTypeConfig } from "../node/type-config.js";

/** What expiry goes by. */
export interface ExpiryParts {
  readonly raft: Raft<ServerTypeConfig>;
  readonly machine: KvStateMachine;
  readonly clock: LeaderClock;
  readonly tick: () => Promise<unknown>;
}

/** How often it is looked whether keys are over, in milliseconds. */
const LOOK_MS = 100;
const MAX_TICKS = 16;

/**
 * Removes keys that are over although nobody asks for them: the leader lets the log tell the time once the earliest deadline has passed. While none has,
 * nothing is written.
 */
export class Expiry {
  readonly #parts: ExpiryParts;
  readonly #timer: NodeJS.Timeout;
  #isTicking = false;

  constructor(parts: ExpiryParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { raft, machine, clock, tick } = this.#parts;
    if (this.#isTicking || !raft.isLeader() || machine.nextDeadlineMs > clock.nowMs()) return;
    this.#isTicking = true;
    // Each entry removes a bounded number of keys; what is left after so many of them has to wait for the next look.
    for (
      let ticks = 0;
      ticks < MAX_TICKS && raft.isLeader() && machine.nextDeadlineMs <= clock.nowMs();
      ticks++
    ) {
      // What fails is tried again: somebody leads, sooner or later.
      await tick().catch(() => {});
    }
    this.#isTicking = false;
  }
}
