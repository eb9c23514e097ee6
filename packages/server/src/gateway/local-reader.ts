import type { KvStateMachine } from "@seshat/kv";
import { NEEDS_TICK } from "@seshat/kv";
import type { Raft } from "@seshat/raft";
import type { RespValue } from "@seshat/resp";
import type { ServerTypeConfig } from "../node/type-config.js";
import { failureOf } from "./failure.js";
import type { LeaderClock } from "./leader-clock.js";
import type { LocalWriter } from "./local-writer.js";
import type { ReadOp } from "./op.js";
import { isArgs } from "./op.js";
import type { Outcome } from "./outcome.js";

interface Submitted {
  readonly ops: readonly ReadOp[];
  readonly resolve: (outcome: Outcome) => void;
}

/** What the reader needs of its surroundings. */
export interface LocalReaderParts {
  readonly raft: Pick<Raft<ServerTypeConfig>, "ensureLinearizable">;
  readonly machine: Pick<KvStateMachine, "read" | "version" | "clockMs">;
  readonly clock: LeaderClock;
  readonly writer: Pick<LocalWriter, "tick">;
  schedule(): void;
}

/** Linearizable reads on the leader: those of one turn share a round that confirms that it still leads. */
export class LocalReader {
  readonly #parts: LocalReaderParts;
  #submitted: Submitted[] = [];

  constructor(parts: LocalReaderParts) {
    this.#parts = parts;
  }

  submit(ops: readonly ReadOp[]): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#submitted.push({ ops, resolve });
      if (this.#submitted.length === 1) this.#parts.schedule();
    });
  }

  flush(): void {
    const submitted = this.#submitted;
    if (submitted.length === 0) return;
    this.#submitted = [];
    this.#parts.raft.ensureLinearizable().then(
      () => {
        for (const { ops, resolve } of submitted) this.#serve(ops, resolve);
      },
      (thrown: unknown) => {
        const outcome = failureOf(thrown);
        for (const { resolve } of submitted) resolve(outcome);
      },
    );
  }

  #serve(ops: readonly ReadOp[], resolve: (outcome: Outcome) => void): void {
    const nowMs = this.#parts.clock.nowMs();
    const replies: RespValue[] = [];
    for (const op of ops) {
      const reply = this.#read(op, nowMs);
      if (reply === NEEDS_TICK) {
        // From the first: all of them are read at one moment, so that none sees less than one before it.
        this.#tick(ops, nowMs).then(resolve, (thrown: unknown) => resolve(failureOf(thrown)));
        return;
      }
      replies.push(reply);
    }
    resolve({ type: "done", replies });
  }

  /** Lets the log tell the time before something is said to have expired. */
  async #tick(ops: readonly ReadOp[], nowMs: number): Promise<Outcome> {
    const outcome = await this.#parts.writer.tick();
    // An empty entry does nothing, whatever became of it.
    if (outcome.type !== "done") return { type: "refused", error: outcome.error };
    const replies = ops.map((op) => this.#read(op, nowMs));
    if (!replies.includes(NEEDS_TICK)) return { type: "done", replies: replies as RespValue[] };
    throw new Error(
      `the clock of the state is at ${this.#parts.machine.clockMs}, although an entry had ${nowMs}`,
    );
  }

  #read(op: ReadOp, nowMs: number): RespValue | typeof NEEDS_TICK {
    const { machine } = this.#parts;
    if (isArgs(op)) return machine.read(op, nowMs, Math.floor(Math.random() * 2 ** 53));
    return op.versionsOf.map((key) => machine.version(key));
  }
}
