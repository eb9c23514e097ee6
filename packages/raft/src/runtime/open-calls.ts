import type { AsyncRuntime, NodeId, Timer } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import { toError } from "./failure.js";

/** Who wants to know what comes of a call. */
export interface CallOutcome<T> {
  /** Throws when no correct peer can have answered so: then the call has failed. */
  check(response: T): void;
  answered(response: T): void;
  failed(error: Error): void;
}

/** A timer may find itself early by a rounding error, and must not be set again for nothing. */
const CLOCK_PRECISION_MS = 0.001;

/** A call that has no answer yet. What comes after the first outcome is ignored: it came too late, or twice. */
export class OpenCall<T> {
  readonly rpc: string;
  readonly timeoutMs: number;
  /** On the runtime's clock. */
  readonly deadline: number;
  readonly #calls: OpenCalls;
  readonly #outcome: CallOutcome<T>;
  /** Its neighbours in the list of those that are open. Written by `OpenCalls`. */
  previous: OpenCall<never> | null = null;
  next: OpenCall<never> | null = null;
  isOpen = true;

  constructor(calls: OpenCalls, rpc: string, timeoutMs: number, deadline: number, outcome: CallOutcome<T>) {
    this.#calls = calls;
    this.rpc = rpc;
    this.timeoutMs = timeoutMs;
    this.deadline = deadline;
    this.#outcome = outcome;
  }

  resolve(response: T): void {
    if (!this.isOpen) return;
    try {
      this.#outcome.check(response);
    } catch (thrown) {
      this.reject(thrown);
      return;
    }
    this.#calls.end(this, null);
    this.#outcome.answered(response);
  }

  reject(thrown: unknown): void {
    if (!this.isOpen) return;
    const error = toError(thrown);
    this.#calls.end(this, error);
    this.#outcome.failed(error);
  }
}

/** The calls to one peer that have no answer, in the order in which they were made. Each fails when its time is over. */
export class OpenCalls {
  readonly #id: NodeId;
  readonly #runtime: AsyncRuntime;
  readonly #ended: (call: OpenCall<never>, error: Error | null) => void;
  #first: OpenCall<never> | null = null;
  #last: OpenCall<never> | null = null;
  #timer: Timer | null = null;
  #firesAt = Number.POSITIVE_INFINITY;
  #closed = false;

  /** @param ended told of every call that is over, before its outcome is: with what it failed with, or null. */
  constructor(
    id: NodeId,
    runtime: AsyncRuntime,
    ended: (call: OpenCall<never>, error: Error | null) => void,
  ) {
    this.#id = id;
    this.#runtime = runtime;
    this.#ended = ended;
  }

  begin<T>(rpc: string, timeoutMs: number, outcome: CallOutcome<T>): OpenCall<T> {
    const deadline = this.#runtime.now() + timeoutMs;
    const call = new OpenCall<T>(this, rpc, timeoutMs, deadline, outcome);
    call.previous = this.#last;
    if (this.#last === null) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
    this.#watch(deadline);
    return call;
  }

  /** A call is over. */
  end(call: OpenCall<never>, error: Error | null): void {
    const { previous, next } = call;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    call.isOpen = false;
    this.#ended(call, error);
  }

  /** Fails all of them with `error`; others that are begun afterwards have no time limit. */
  close(error: Error): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (let call = this.#first; call !== null; call = this.#first) call.reject(error);
  }

  /** One timer serves all calls: most are answered long before, so it is left to fire and look again. */
  #watch(deadline: number): void {
    if (deadline >= this.#firesAt || this.#closed) return;
    this.#timer?.cancel();
    this.#firesAt = deadline;
    const delay = Math.max(0, deadline - this.#runtime.now());
    this.#timer = this.#runtime.setTimer(delay, () => this.#expire());
  }

  #expire(): void {
    this.#timer = null;
    this.#firesAt = Number.POSITIVE_INFINITY;
    const due = this.#runtime.now() + CLOCK_PRECISION_MS;
    const overdue: OpenCall<never>[] = [];
    for (let call = this.#first; call !== null; call = call.next)
      if (call.deadline <= due) overdue.push(call);
    for (const call of overdue)
      call.reject(new UnreachableError(this.#id, `no answer within ${Math.round(call.timeoutMs)} ms`));
    let next = Number.POSITIVE_INFINITY;
    for (let call = this.#first; call !== null; call = call.next) next = Math.min(next, call.deadline);
    this.#watch(next);
  }
}
