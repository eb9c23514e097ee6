import type { MaybePromise } from "@seshat/storage";

/** Goes on with a result: at once when it is there, without a turn. */
export function andThen<T, R>(result: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return result instanceof Promise ? result.then(next) : next(result);
}
