import type { KvEntry } from "@seshat/kv";
import { encodeKvEntry } from "@seshat/kv";
import type { Raft } from "@seshat/raft";
import { failureOf } from "./failure.js";
import type { ServerTypeConfig } from "../node/type-config.js";
import type { LeaderClock } from "./leader-clock.js";
import type { WriteOp } from "./op.js";
import { randomSeed } from "./random-seed.js";
import type { Outcome } from "./outcome.js";

/** What asked for some of the parts of an entry. */
interface Share {
  readonly count: number;
  readonly resolve: (outcome: Outcome) => void;
}

/** An entry of at most so many bytes and parts, unless one submission alone has more. */
const MAX_ENTRY_BYTES = 1024 * 1024;
const MAX_ENTRY_PARTS = 8192;

/** Writes on the leader: what is submitted in one turn, by its own clients and by those of its followers, becomes one entry. */
export class LocalWriter {
  readonly #raft: Pick<Raft<ServerTypeConfig>, "clientWrite">;
  readonly #clock: LeaderClock;
  readonly #schedule: () => void;
  #parts: WriteOp[] = [];
  #bytes = 0;
  #shares: Share[] = [];
  #closed: Error | null = null;

  constructor(raft: Pick<Raft<ServerTypeConfig>, "clientWrite">, clock: LeaderClock, schedule: () => void) {
    this.#raft = raft;
    this.#clock = clock;
    this.#schedule = schedule;
  }

  /** Writes `ops` in one entry, consecutive and in order. Submissions take effect in the order of the calls. */
  submit(ops: readonly WriteOp[], bytes: number): Promise<Outcome> {
    if (this.#closed !== null) return Promise.resolve({ type: "refused", error: this.#closed });
    const full = this.#bytes + bytes > MAX_ENTRY_BYTES || this.#parts.length + ops.length > MAX_ENTRY_PARTS;
    if (full && this.#shares.length > 0) this.flush();
    for (const op of ops) this.#parts.push(op);
    this.#bytes += bytes;
    return new Promise((resolve) => {
      this.#shares.push({ count: ops.length, resolve });
      if (this.#shares.length === 1) this.#schedule();
    });
  }

  /** Brings the clock of the state up to now, by an entry with nothing in it but its time, unless others are about to. */
  tick(): Promise<Outcome> {
    return this.submit([], 0);
  }

  /** Hands over nothing more: what was submitted and not handed over was not done, and can be told so. */
  close(error: Error): void {
    this.#closed = error;
    const shares = this.#shares;
    this.#parts = [];
    this.#shares = [];
    for (const { resolve } of shares) resolve({ type: "refused", error });
  }

  /** Hands over what was submitted. */
  flush(): void {
    const shares = this.#shares;
    if (shares.length === 0) return;
    const entry: KvEntry = { timeMs: this.#clock.nowMs(), seed: randomSeed(), parts: this.#parts };
    this.#parts = [];
    this.#bytes = 0;
    this.#shares = [];
    this.#raft.clientWrite({ data: encodeKvEntry(entry) }).then(
      ({ response: { replies } }) => {
        if (shares.length === 1) {
          shares[0]?.resolve({ type: "done", replies });
          return;
        }
        let from = 0;
        for (const { count, resolve } of shares) {
          resolve({ type: "done", replies: replies.slice(from, from + count) });
          from += count;
        }
      },
      (thrown: unknown) => {
        const outcome = failureOf(thrown);
        for (const { resolve } of shares) resolve(outcome);
      },
    );
  }
}
