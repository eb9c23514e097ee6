import type { AsyncRuntime, NodeId, Timer } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import { CLOCK_PRECISION_MS } from "./clock.js";
import { toError } from "./failure.js";
import { setPatientTimer } from "./patient-timer.js";

/** A call that has no answer yet: told once what comes of it. What comes after that is ignored: it came too late, or twice. */
export abstract class OpenCall<T> {
  readonly rpc: string;
  /** In milliseconds. */
  readonly timeoutMs: number;
  /** Where it stands while it is open. Written by `OpenCalls`, as is all that follows. */
  calls: OpenCalls | null = null;
  previous: OpenCall<never> | null = null;
  next: OpenCall<never> | null = null;
  /** On the runtime's clock. */
  deadline = 0;

  constructor(rpc: string, timeoutMs: number) {
    this.rpc = rpc;
    this.timeoutMs = timeoutMs;
  }

  /** Throws when no correct peer can have answered so: then the call has failed. */
  protected abstract check(response: T): void;
  protected abstract answered(response: T): void;
  /** There is no answer that makes sense. */
  abstract failed(error: Error): void;

  resolve(response: T): void {
    if (this.calls === null) return;
    try {
      this.check(response);
    } catch (thrown) {
      this.reject(thrown);
      return;
    }
    this.calls.end(this, null);
    this.answered(response);
  }

  reject(thrown: unknown): void {
    if (this.calls === null) return;
    const error = toError(thrown);
    this.calls.end(this, error);
    this.failed(error);
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

  /** A call is on its way from `now` on. */
  begin(call: OpenCall<never>, now: number = this.#runtime.now()): void {
    const deadline = now + call.timeoutMs;
    call.calls = this;
    call.deadline = deadline;
    call.previous = this.#last;
    if (this.#last === null) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
    this.#watch(deadline);
  }

  /** A call is over. */
  end(call: OpenCall<never>, error: Error | null): void {
    const { previous, next } = call;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    call.calls = null;
    call.previous = null;
    call.next = null;
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
    this.#timer = setPatientTimer(this.#runtime, delay, () => this.#expire());
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
