import type { KvStateMachine, NEEDS_TICK } from "@seshat/kv";
import type { RespValue } from "@seshat/resp";
import type { Read } from "./careful-read.js";
import type { Owner } from "./lane.js";
import { MAX_TURN_WORK, SOME_WORK } from "./local-reader.js";
import type { Args } from "./op.js";

/**
 * Reads of the state of this node as it is, for clients that have chosen so. They wait for nobody else, so that here alone is seen to it that those of one turn
 * of the event loop do not take for ever.
 */
export class LocalReads {
  readonly #machine: Pick<KvStateMachine, "clockMs" | "work">;
  readonly #read: Read;
  #work = 0;
  readonly #blocked = new Set<Owner>();
  #turn: NodeJS.Immediate | null = null;

  constructor(machine: Pick<KvStateMachine, "clockMs" | "work">, read: Read) {
    this.#machine = machine;
    this.#read = read;
  }

  /** False when enough was read in this turn: `owner` is told to resume in the next. */
  admits(owner: Owner): boolean {
    if (this.#work <= MAX_TURN_WORK) return true;
    this.#blocked.add(owner);
    return false;
  }

  read(args: Args): RespValue {
    const reply: RespValue | typeof NEEDS_TICK = this.#read(args, this.#machine.clockMs);
    this.#work += this.#machine.work;
    if (this.#work > SOME_WORK) this.#turn ??= setImmediate(() => this.#nextTurn());
    // By the clock of the state nothing is over that the state still has.
    return typeof reply === "symbol"
      ? { type: "error", message: "ERR the clock of the state has no answer" }
      : reply;
  }

  /** Nobody is told to resume any more. */
  close(): void {
    this.#blocked.clear();
    if (this.#turn !== null) clearImmediate(this.#turn);
  }

  #nextTurn(): void {
    this.#turn = null;
    this.#work = 0;
    const waiting = [...this.#blocked];
    this.#blocked.clear();
    for (const owner of waiting) owner.resume();
  }
}
