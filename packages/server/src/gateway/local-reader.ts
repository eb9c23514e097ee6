import { setImmediate as turn } from "node:timers/promises";
import type { KvStateMachine } from "@seshat/kv";
import { MOST_AHEAD, NEEDS_TICK } from "@seshat/kv";
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
  readonly machine: Pick<KvStateMachine, "version" | "clockMs" | "work" | "lookAhead">;
  readonly read: Read;
  readonly clock: LeaderClock;
  readonly writer: Pick<LocalWriter, "tick">;
  schedule(): void;
}

/**
 * How much work is read in one turn of the event loop, about as many nanoseconds: what is dear to read must not keep heartbeats and other clients waiting
 * for longer than one command alone does.
 */
export const MAX_TURN_WORK = 5_000_000;

/** From so much on it is worth knowing when the turn is over. */
export const SOME_WORK = 500_000;

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
  /** What was read at once in this turn, and in turns before it in which that was little. */
  #workAtOnce = 0;
  /** What was read of {@link #confirmed} in this turn. */
  #turnWork = 0;

  constructor(parts: LocalReaderParts) {
    this.#parts = parts;
  }

  /** The reply, where it is to be had without waiting. What is read so is linearizable if it is read now. */
  readAtOnce(args: Args): RespValue | typeof NOT_AT_ONCE {
    const { raft, clock } = this.#parts;
    if (this.#workAtOnce > MAX_TURN_WORK || !raft.mayReadAtOnce()) return NOT_AT_ONCE;
    const reply = this.#read(args, clock.nowMs());
    this.#workAtOnce += this.#parts.machine.work;
    if (this.#workAtOnce > SOME_WORK) this.#parts.schedule();
    return reply === NEEDS_TICK ? NOT_AT_ONCE : reply;
  }

  submit(ops: readonly ReadOp[]): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#submitted.push({ ops, resolve });
      if (this.#submitted.length === 1) this.#parts.schedule();
    });
  }

  /** The turn ends: asks for a round for what was submitted. */
  flush(): void {
    this.#workAtOnce = 0;
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
    this.#turnWork = 0;
    while (this.#confirmed.length > 0) {
      const confirmed = this.#confirmed;
      this.#confirmed = [];
      for (const { ops, resolve } of confirmed) {
        const outcome = this.#serve(ops);
        resolve("type" in outcome ? outcome : await outcome);
      }
    }
    this.#isServing = false;
  }

  #serve(ops: readonly ReadOp[]): Outcome | Promise<Outcome> {
    const nowMs = this.#parts.clock.nowMs();
    const { machine } = this.#parts;
    const replies: RespValue[] = [];
    for (let at = 0; at < ops.length; at++) {
      if (at % MOST_AHEAD === 0 && ops.length > 1) machine.lookAhead(firstKeys(ops, at));
      const reply = this.#turnWork > MAX_TURN_WORK ? NEEDS_TICK : this.#readInTurn(ops[at] as ReadOp, nowMs);
      if (reply === NEEDS_TICK) {
        machine.lookAhead([]);
        return this.#serveRest(ops, replies, nowMs).catch((thrown: unknown) => failureOf(thrown));
      }
      replies.push(reply);
    }
    if (ops.length > 1) machine.lookAhead([]);
    return { type: "done", replies };
  }

  /** Goes on behind the replies that there are, and waits where that has to be. */
  async #serveRest(ops: readonly ReadOp[], replies: RespValue[], nowMs: number): Promise<Outcome> {
    for (const op of ops.slice(replies.length)) {
      if (this.#turnWork > MAX_TURN_WORK) {
        await turn();
        this.#turnWork = 0;
      }
      let reply = this.#readInTurn(op, nowMs);
      if (reply === NEEDS_TICK) {
        // Lets the log tell the time before something is said to have expired.
        const outcome = await this.#parts.writer.tick();
        // An empty entry does nothing, whatever became of it.
        if (outcome.type !== "done") return { type: "refused", error: outcome.error };
        reply = this.#readInTurn(op, nowMs);
      }
      if (reply === NEEDS_TICK) {
        const { clockMs } = this.#parts.machine;
        throw new Error(`the clock of the state is at ${clockMs}, although an entry had ${nowMs}`);
      }
      replies.push(reply);
    }
    return { type: "done", replies };
  }

  #readInTurn(op: ReadOp, nowMs: number): RespValue | typeof NEEDS_TICK {
    const reply = this.#read(op, nowMs);
    if (isArgs(op)) this.#turnWork += this.#parts.machine.work;
    return reply;
  }

  #read(op: ReadOp, nowMs: number): RespValue | typeof NEEDS_TICK {
    const { machine, read } = this.#parts;
    if (isArgs(op)) return read(op, nowMs, Math.floor(Math.random() * 2 ** 53));
    return op.versionsOf.map((key) => machine.version(key));
  }
}

/** The keys that so many operations are about, of each the first. */
function firstKeys(ops: readonly ReadOp[], since: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  const end = Math.min(ops.length, since + MOST_AHEAD);
  for (let at = since; at < end; at++) {
    const op = ops[at] as ReadOp;
    // Nearly every command has it there. What is none does no harm.
    const key = isArgs(op) ? op[1] : op.versionsOf[0];
    if (key !== undefined) keys.push(key);
  }
  return keys;
}
