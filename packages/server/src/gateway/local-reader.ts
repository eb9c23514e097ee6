import { setImmediate as turn } from "node:timers/promises";
import type { KvStateMachine } from "@seshat/kv";
import { NEEDS_TICK } from "@seshat/kv";
import type { Raft } from "@seshat/raft";
import type { RespValue } from "@seshat/resp";
import type { ServerTypeConfig } from "../node/type-config.js";
import type { Read } from "./careful-read.js";
import { failureOf } from "./failure.js";
import type { LeaderClock } from "./leader-clock.js";
import type { LocalWriter } from "./local-writer.js";
import type { Args, ReadOp } from "./op.js";
import { NOT_AT_ONCE, isArgs } from "./op.js";
import type { Outcome } from "./outcome.js";

interface Submitted {
  readonly ops: readonly ReadOp[];
  readonly resolve: (outcome: Outcome) => void;
}

/** What the reader needs of its surroundings. */
export interface LocalReaderParts {
  readonly raft: Pick<Raft<ServerTypeConfig>, "ensureLinearizable" | "mayReadAtOnce">;
  readonly machine: Pick<KvStateMachine, "version" | "clockMs">;
  readonly read: Read;
  readonly clock: LeaderClock;
  readonly writer: Pick<LocalWriter, "tick">;
  schedule(): void;
}

/** What is read in one turn of the event loop, roughly: large values must not keep heartbeats and other clients waiting. */
const MAX_TURN_BYTES = 4 * 1024 * 1024;

/** From so many bytes on it is worth knowing when the turn is over. */
const SOME_BYTES = 256 * 1024;

/**
 * Linearizable reads on the leader: those of one turn share a round that confirms that it still leads. Where nobody else could lead they need
 * none, and are answered at once.
 */
export class LocalReader {
  readonly #parts: LocalReaderParts;
  #submitted: Submitted[] = [];
  /** Confirmed and not read yet, in the order in which they were asked for. */
  #confirmed: Submitted[] = [];
  #isServing = false;
  /** What was read at once in this turn, roughly, and in turns before it in which that was little. */
  #bytesAtOnce = 0;

  constructor(parts: LocalReaderParts) {
    this.#parts = parts;
  }

  /** The reply, where it is to be had without waiting. What is read so is linearizable if it is read now. */
  readAtOnce(args: Args): RespValue | typeof NOT_AT_ONCE {
    const { raft, clock } = this.#parts;
    if (this.#bytesAtOnce > MAX_TURN_BYTES || !raft.mayReadAtOnce()) return NOT_AT_ONCE;
    const reply = this.#read(args, clock.nowMs());
    if (reply === NEEDS_TICK) return NOT_AT_ONCE;
    this.#bytesAtOnce += sizeOfReply(reply);
    if (this.#bytesAtOnce > SOME_BYTES) this.#parts.schedule();
    return reply;
  }

  submit(ops: readonly ReadOp[]): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#submitted.push({ ops, resolve });
      if (this.#submitted.length === 1) this.#parts.schedule();
    });
  }

  /** The turn ends: asks for a round for what was submitted. */
  flush(): void {
    this.#bytesAtOnce = 0;
    const submitted = this.#submitted;
    if (submitted.length === 0) return;
    this.#submitted = [];
    this.#parts.raft.ensureLinearizable().then(
      () => {
        for (const each of submitted) this.#confirmed.push(each);
        if (!this.#isServing) void this.#serveAll();
      },
      (thrown: unknown) => {
        const outcome = failureOf(thrown);
        for (const { resolve } of submitted) resolve(outcome);
      },
    );
  }

  /**
   * One after the other, so that none sees less than one before it, also where one has to wait. That they are read a few turns after they were
   * confirmed does no harm: the state that they see was the latest at some moment since they were asked for.
   */
  async #serveAll(): Promise<void> {
    this.#isServing = true;
    let bytes = 0;
    while (this.#confirmed.length > 0) {
      const confirmed = this.#confirmed;
      this.#confirmed = [];
      for (const { ops, resolve } of confirmed) {
        if (bytes > MAX_TURN_BYTES) {
          await turn();
          bytes = 0;
        }
        const outcome = this.#serve(ops);
        if (!("type" in outcome)) {
          resolve(await outcome);
          continue;
        }
        if (outcome.type === "done") for (const reply of outcome.replies) bytes += sizeOfReply(reply);
        resolve(outcome);
      }
    }
    this.#isServing = false;
  }

  #serve(ops: readonly ReadOp[]): Outcome | Promise<Outcome> {
    const nowMs = this.#parts.clock.nowMs();
    const replies: RespValue[] = [];
    for (const op of ops) {
      const reply = this.#read(op, nowMs);
      // From the first: all of them are read at one moment.
      if (reply === NEEDS_TICK) return this.#tick(ops, nowMs).catch((thrown: unknown) => failureOf(thrown));
      replies.push(reply);
    }
    return { type: "done", replies };
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
    const { machine, read } = this.#parts;
    if (isArgs(op)) return read(op, nowMs, Math.floor(Math.random() * 2 ** 53));
    return op.versionsOf.map((key) => machine.version(key));
  }
}

/** Bytes of a reply, roughly: of what is nested, the number alone. */
function sizeOfReply(reply: RespValue): number {
  if (reply instanceof Uint8Array) return reply.length;
  if (!Array.isArray(reply)) return 0;
  let bytes = 0;
  for (const item of reply as readonly RespValue[]) bytes += item instanceof Uint8Array ? item.length : 16;
  return bytes;
}
