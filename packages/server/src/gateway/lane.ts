import { TimeoutError } from "@seshat/common";
import type { RespValue } from "@seshat/resp";
import type { Failure, Outcome } from "./outcome.js";

/** Who asked for something. Within one lane it gets the replies in the order in which it asked. */
export interface Owner {
  deliver(reply: RespValue): void;
  /** There is room in the lane again. */
  resume(): void;
}

/** What a lane is made of. */
export interface LaneParts<Op> {
  /** True when somebody is known who can carry operations out. */
  ready(): boolean;
  send(ops: readonly Op[], bytes: number): Promise<Outcome>;
  /** True when what was sent may be sent again, whatever became of it: reads. */
  readonly repeatable: boolean;
  readonly limits: LaneLimits;
  /** The reply for what was not done, or of which nobody knows. */
  failure(outcome: Failure): RespValue;
  /** True where what is sent becomes a group of its own, however small it is: then it is worth while that it {@link LaneLimits.enoughOps gathers}. */
  gathers(): boolean;
  /** Asks for {@link Lane.pump} at the end of this turn. */
  schedule(): void;
  /** Called when replies were delivered: they can be written out. */
  delivered(): void;
  /** A clock that never goes back, in milliseconds. */
  now(): number;
}

export interface LaneLimits {
  /** Operations of one group, and their bytes; a larger operation goes alone. */
  readonly groupOps: number;
  readonly groupBytes: number;
  /** Groups that are sent and not answered. */
  readonly inFlight: number;
  /**
   * A group costs much the same whatever is in it. One with fewer operations than this has company soon: while others are under way it gathers what
   * comes until they were answered, and then for as long as those who were answered ask again...
   */
  readonly enoughOps: number;
  /** ...which has an end once none of them has come for so many milliseconds... */
  readonly returnPauseMs: number;
  /** ...but not when the last has left, or was answered, so many milliseconds ago. */
  readonly gatherMs: number;
  /** Bytes of all that waits. Who comes when that much does has to wait outside. */
  readonly waitingBytes: number;
  /** How long an operation may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** Operations that go together: they have one outcome. */
interface Group<Op> {
  readonly ops: Op[];
  readonly owners: Owner[];
  bytes: number;
  readonly deadline: number;
  /** True when it could not be sent at once: who comes later asks how old it is. */
  isKept: boolean;
  outcome: Outcome | null;
  /** Which sending of it counts; an answer to an earlier one comes too late. */
  attempt: number;
}

/** Those who were answered ask again. */
interface Returning {
  readonly answeredAt: number;
  /** Ends of turns since then. */
  turns: number;
  /** How many operations waited when it was looked last. */
  waiting: number;
  /** When they were more than before. */
  moreAt: number;
}

/**
 * So many turns are waited for the first of those who were answered: the first turn ends before the answers have left, and in the second those who got
 * them may be half-way.
 */
const TURNS_TO_RETURN = 2;

/** A timer may find itself early by a rounding error, and must not be set again for nothing. */
const CLOCK_PRECISION_MS = 0.001;

/** How much older the first of a group may be than who joins it, in milliseconds: all of it is given up when the time of the first is up. */
const SHARED_TIME_MS = 50;

/** How long to wait before what was refused is tried again, unless somebody is known to lead before. */
const RETRY_MS = 50;

/**
 * Operations on their way to whoever leads, first in, first out. All of a turn go together, in as few groups as they fit in; and what is
 * little while others are on their way or were just answered, or comes while as many groups are on their way as may be, gathers in the next. Who comes alone
 * never waits.
 *
 * What was certainly not done is tried again until its time is up, unless something behind it was done meanwhile: order comes before
 * success.
 */
export class Lane<Op> {
  readonly #parts: LaneParts<Op>;
  /** Not sent, oldest first; the last takes what comes. */
  #queue: Group<Op>[] = [];
  #sent: Group<Op>[] = [];
  #waitingBytes = 0;
  readonly #blocked = new Set<Owner>();
  /** True while the oldest that was sent was refused, and it is not known yet what became of those behind it: nothing more is sent. */
  #stalled = false;
  #pausedUntil = 0;
  /** When something was sent last. */
  #sentAt = Number.NEGATIVE_INFINITY;
  /** What is known of those who were just answered; null once they are back, or nobody is expected. */
  #returning: Returning | null = null;
  #gathering: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerDue = 0;
  #closed: Error | null = null;

  constructor(parts: LaneParts<Op>) {
    this.#parts = parts;
  }

  /** False when too much waits: `owner` is told to resume once there is room. */
  admits(owner: Owner): boolean {
    if (this.#waitingBytes < this.#parts.limits.waitingBytes) return true;
    this.#blocked.add(owner);
    return false;
  }

  /** Of operations that wait for an answer. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** @param bytes what it counts against the limits. */
  add(op: Op, bytes: number, owner: Owner): void {
    const { groupOps, groupBytes, enoughOps, timeoutMs } = this.#parts.limits;
    let group = this.#queue.at(-1);
    if (
      group === undefined ||
      group.ops.length >= groupOps ||
      group.bytes + bytes > groupBytes ||
      (group.isKept && this.#isOld(group))
    ) {
      const deadline = this.#parts.now() + timeoutMs;
      group = { ops: [], owners: [], bytes: 0, deadline, isKept: false, outcome: null, attempt: 0 };
      this.#queue.push(group);
      this.#parts.schedule();
    }
    group.ops.push(op);
    group.owners.push(owner);
    group.bytes += bytes;
    this.#waitingBytes += bytes;
    if (group.isKept && (group.ops.length === enoughOps || this.#isFull(group))) this.#parts.schedule();
  }

  /** Sends what can be sent. */
  pump(): void {
    if (this.#closed !== null) this.close(this.#closed);
    this.#countReturned();
    while (this.#queue.length > 0 && this.#maySend()) {
      const group = this.#queue.shift() as Group<Op>;
      this.#sent.push(group);
      this.#sentAt = this.#parts.now();
      const attempt = ++group.attempt;
      this.#parts.send(group.ops, group.bytes).then(
        (outcome) => this.#answered(group, attempt, outcome),
        // Whatever went wrong, it may have been done.
        (thrown: unknown) => this.#answered(group, attempt, { type: "unknown", error: thrown as Error }),
      );
    }
    const kept = this.#queue.at(-1);
    if (kept !== undefined) kept.isKept = true;
    this.#watch();
  }

  /** Another node leads, or one at all: what waits need not wait for its next attempt. */
  leaderChanged(): void {
    this.#pausedUntil = 0;
    this.pump();
  }

  /** Answers everything that waits, and from now on everything that comes: what was not sent was not done. */
  close(error: Error): void {
    this.#closed = error;
    for (const group of this.#sent) group.outcome ??= { type: "unknown", error };
    for (const group of this.#queue) group.outcome = { type: "refused", error };
    const rest = [...this.#sent.splice(0), ...this.#queue.splice(0)];
    for (const group of rest) this.#deliver(group);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#gathering = null;
    this.#returning = null;
  }

  #isOld({ deadline }: Group<Op>): boolean {
    return this.#parts.now() > deadline - this.#parts.limits.timeoutMs + SHARED_TIME_MS;
  }

  #maySend(): boolean {
    if (this.#stalled || this.#sent.length >= this.#parts.limits.inFlight) return false;
    if (this.#returning !== null || this.#gathers()) return false;
    if (this.#pausedUntil > 0) {
      if (this.#parts.now() < this.#pausedUntil) return false;
      this.#pausedUntil = 0;
    }
    return this.#parts.ready();
  }

  /** True while what waits is to be joined by what comes: it is little, and others are under way. */
  #gathers(): boolean {
    if (this.#sent.length === 0 || this.#isEnough() || !this.#parts.gathers()) return false;
    const left = this.#sentAt + this.#parts.limits.gatherMs - this.#parts.now();
    if (left <= CLOCK_PRECISION_MS) return false;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.pump();
    }, left);
    return true;
  }

  /** True when what waits is worth a group, or fills one. */
  #isEnough(): boolean {
    const [oldest] = this.#queue;
    if (this.#queue.length > 1 || this.#waitingOps() >= this.#parts.limits.enoughOps) return true;
    return oldest !== undefined && this.#isFull(oldest);
  }

  /** True when nothing more fits. */
  #isFull({ ops, bytes }: Group<Op>): boolean {
    const { groupOps, groupBytes } = this.#parts.limits;
    return ops.length >= groupOps || bytes >= groupBytes;
  }

  #waitingOps(): number {
    return this.#queue[0]?.ops.length ?? 0;
  }

  /** Whoever is answered and goes on asks again at once. They ask together if the next group leaves when they are back, and not with the first of them. */
  #expectReturn({ owners }: Group<Op>): boolean {
    if (this.#sent.length > 0 || this.#isEnough() || !this.#parts.gathers() || this.#isAlone(owners))
      return false;
    const answeredAt = this.#parts.now();
    this.#returning = {
      answeredAt,
      turns: 0,
      waiting: this.#waitingOps(),
      moreAt: Number.NEGATIVE_INFINITY,
    };
    this.#parts.schedule();
    return true;
  }

  /** True for a client that has nobody to wait for, when not enough waits: what is looked through is not much. */
  #isAlone(answered: readonly Owner[]): boolean {
    const [client] = answered;
    const waiting = this.#queue[0]?.owners ?? [];
    return [answered, waiting].every((owners) => owners.every((owner) => owner === client));
  }

  /** At the end of a turn: while some are coming back, another is awaited. */
  #countReturned(): void {
    const returning = this.#returning;
    if (returning === null) return;
    const { gatherMs, returnPauseMs } = this.#parts.limits;
    const now = this.#parts.now();
    const waiting = this.#waitingOps();
    if (waiting > returning.waiting) returning.moreAt = now;
    returning.waiting = waiting;
    returning.turns += 1;
    const mayCome = returning.turns <= TURNS_TO_RETURN || now <= returning.moreAt + returnPauseMs;
    const isLong = now >= returning.answeredAt + gatherMs;
    if (!mayCome || isLong || this.#isEnough() || !this.#parts.gathers()) this.#returning = null;
    else this.#parts.schedule();
  }

  #answered(group: Group<Op>, attempt: number, outcome: Outcome): void {
    if (group.outcome !== null || group.attempt !== attempt) return;
    group.outcome = outcome;
    this.#settle();
    if (outcome.type !== "done" || !this.#expectReturn(group)) this.pump();
  }

  /** Delivers what is settled, from the oldest on. */
  #settle(): void {
    this.#stalled = false;
    for (let [head] = this.#sent; head !== undefined && head.outcome !== null; [head] = this.#sent) {
      if (this.#mayRepeat(head)) {
        if (this.#sent.some(({ outcome }) => outcome === null)) {
          this.#stalled = true;
          return;
        }
        this.#pausedUntil = this.#parts.now() + RETRY_MS;
        if (this.#parts.repeatable || this.#sent.every((group) => this.#mayRepeat(group))) {
          for (const group of this.#sent) group.outcome = null;
          this.#queue = [...this.#sent, ...this.#queue];
          this.#sent = [];
          return;
        }
      }
      this.#sent.shift();
      this.#deliver(head);
    }
  }

  #mayRepeat({ outcome, deadline }: Group<Op>): boolean {
    if (outcome === null || outcome.type === "done") return false;
    if (outcome.type === "refused" && outcome.isFinal === true) return false;
    if (outcome.type === "unknown" && !this.#parts.repeatable) return false;
    return this.#parts.now() < deadline;
  }

  /** Wakes up when the time of the oldest is up, or what was refused may be tried again. */
  #watch(): void {
    const oldest = this.#sent[0] ?? this.#queue[0];
    if (oldest === undefined) return;
    const now = this.#parts.now();
    const due = this.#pausedUntil > now ? Math.min(this.#pausedUntil, oldest.deadline) : oldest.deadline;
    if (this.#timer !== null) {
      if (this.#timerDue <= due) return;
      clearTimeout(this.#timer);
    }
    this.#timerDue = due;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#expire();
        this.pump();
      },
      Math.max(1, due - now),
    );
  }

  #expire(): void {
    const now = this.#parts.now();
    const error = new TimeoutError("the operation", this.#parts.limits.timeoutMs);
    for (const group of this.#sent) {
      if (group.deadline <= now) group.outcome ??= { type: "unknown", error };
    }
    for (let [group] = this.#queue; group !== undefined && group.deadline <= now; [group] = this.#queue) {
      group.outcome = { type: "refused", error };
      this.#queue.shift();
      this.#sent.push(group);
    }
    this.#settle();
  }

  #deliver({ outcome, owners, bytes }: Group<Op>): void {
    this.#waitingBytes -= bytes;
    if (outcome?.type === "done") {
      const { replies } = outcome;
      for (let i = 0; i < owners.length; i++) (owners[i] as Owner).deliver(replies[i] as RespValue);
    } else {
      const reply = this.#parts.failure(outcome as Failure);
      for (const owner of owners) owner.deliver(reply);
    }
    this.#parts.delivered();
    if (this.#blocked.size === 0 || this.#waitingBytes >= this.#parts.limits.waitingBytes) return;
    const waiting = [...this.#blocked];
    this.#blocked.clear();
    for (const owner of waiting) owner.resume();
  }
}
