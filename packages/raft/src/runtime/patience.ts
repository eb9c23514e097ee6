import type { AsyncRuntime } from "@seshat/common";
import { TimeoutError } from "@seshat/common";
import { toError } from "./failure.js";

/** When a caller stops waiting. */
export interface Patience {
  /** Gives up when it is aborted. */
  readonly signal?: AbortSignal;
  /** Gives up after this many milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * The outcome of `start`, or the error of its caller's giving up. What was started goes on: nobody waits for it any more.
 *
 * @param what in words, for the error.
 * @param givenUp makes the error out of the reason: a `TimeoutError`, or what the signal says.
 */
export function withPatience<T>(
  what: string,
  { signal, timeoutMs }: Patience,
  clock: AsyncRuntime,
  start: () => Promise<T>,
  givenUp: (reason: Error) => Error = (reason) => reason,
): Promise<T> {
  if (signal?.aborted === true) return Promise.reject(toError(signal.reason));
  if (signal === undefined && timeoutMs === undefined) return start();
  return new Promise((resolve, reject) => {
    const giveUp = (reason: Error): void => {
      settled();
      reject(givenUp(reason));
    };
    const aborted = (): void => giveUp(toError(signal?.reason));
    const timer =
      timeoutMs === undefined
        ? null
        : clock.setTimer(timeoutMs, () => giveUp(new TimeoutError(what, timeoutMs)));
    const settled = (): void => {
      timer?.cancel();
      signal?.removeEventListener("abort", aborted);
    };
    signal?.addEventListener("abort", aborted, { once: true });
    start().then(
      (value) => {
        settled();
        resolve(value);
      },
      (error: unknown) => {
        settled();
        reject(toError(error));
      },
    );
  });
}
