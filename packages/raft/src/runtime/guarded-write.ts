import type { AsyncRuntime } from "@seshat/common";
import { TimeoutError, UnknownOutcomeError } from "@seshat/common";
import type { ClientWriteResponse, Writer } from "./clients.js";
import { toError } from "./failure.js";
import type { Patience } from "./patience.js";

/** How writes are handed over, and taken back. */
export interface WriteDoor<R> {
  start(writers: readonly Writer<R>[]): void;
  /** Takes all of them back. @returns false when it is too late: they may be in the log. */
  withdraw(writers: readonly Writer<R>[]): boolean;
}

/**
 * Writes that are made together, and that their caller can give up together: while they are not on their way to the log
 * they are taken back, and the promise rejects with the reason; after that the outcome is unknown.
 *
 * @param sizes what each counts in bytes; at least one.
 * @returns the responses, in order. The first failure rejects them all.
 */
export function guardedWrites<R>(
  sizes: readonly number[],
  patience: Patience,
  clock: AsyncRuntime,
  door: WriteDoor<R>,
): Promise<ClientWriteResponse<R>[]> {
  const { signal, timeoutMs } = patience;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(toError(signal.reason));
      return;
    }
    const responses = new Array<ClientWriteResponse<R>>(sizes.length);
    let missing = sizes.length;
    const settled = (): void => {
      timer?.cancel();
      signal?.removeEventListener("abort", aborted);
    };
    const fail = (error: Error): void => {
      settled();
      reject(error);
    };
    const writers = sizes.map((bytes, i): Writer<R> => ({
      bytes,
      resolve: (response) => {
        responses[i] = response;
        missing -= 1;
        if (missing > 0) return;
        settled();
        resolve(responses);
      },
      reject: fail,
    }));
    const giveUp = (reason: Error): void => {
      if (door.withdraw(writers)) fail(reason);
      else fail(new UnknownOutcomeError(`its caller gave up waiting (${reason.message})`, { cause: reason }));
    };
    const aborted = (): void => giveUp(toError(signal?.reason));
    const timer =
      timeoutMs === undefined
        ? null
        : clock.setTimer(timeoutMs, () => giveUp(new TimeoutError("the write", timeoutMs)));
    signal?.addEventListener("abort", aborted, { once: true });
    door.start(writers);
  });
}
