import type { AsyncRuntime } from "@seshat/common";
import { TimeoutError } from "@seshat/common";

/**
 * Waits for `promise`, but not longer than `timeoutMs`. What the promise does after that is nobody's business.
 *
 * @param what it is, for the error.
 * @throws {TimeoutError} when it has not settled in time.
 */
export function withTimeout<T>(
  clock: AsyncRuntime,
  promise: Promise<T>,
  timeoutMs: number,
  what: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => reject(new TimeoutError(what, timeoutMs)));
    void promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
