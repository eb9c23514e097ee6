/** What every operation of a history has. */
interface Called<I> {
  /** Who called. A client waits for the outcome of one operation before it calls the next. */
  readonly client: string | number;
  /** What was asked for, in the words of the model. */
  readonly input: I;
  /** When it was called, in any unit that never goes back. */
  readonly call: number;
}

/** It took effect, once, at some moment from `call` to `ret`, and this is the answer. */
export interface CompletedOperation<I, O> extends Called<I> {
  readonly status: "ok";
  readonly output: O;
  /** When the answer arrived; at least `call`. */
  readonly ret: number;
}

/** It may take effect at any time after `call`, also long after `ret`, or never. */
export interface UnknownOperation<I> extends Called<I> {
  readonly status: "unknown";
  /** When the client stopped waiting; null or absent when it never did. This orders nothing. */
  readonly ret?: number | null;
}

/** It certainly did not take effect, and never will. Such an operation says nothing about the state. */
export interface FailedOperation<I> extends Called<I> {
  readonly status: "fail";
  /** When the refusal arrived. */
  readonly ret?: number | null;
}

/** One operation of a history: what was asked, when, and what came of it. */
export type Operation<I, O> = CompletedOperation<I, O> | UnknownOperation<I> | FailedOperation<I>;

/**
 * What the clients of a system did and saw, in any order. One operation precedes another if it returned strictly before
 * the other was called; operations that share that moment are concurrent, since a clock that cannot tell them apart
 * proves no order.
 */
export type History<I, O> = readonly Operation<I, O>[];
