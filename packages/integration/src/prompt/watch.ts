import type { KeyValueClusterStatus } from "../cluster/key-value-cluster-status.js";

/** What a watch looks at, and how it waits between two looks. */
export interface WatchParts {
  readonly look: () => KeyValueClusterStatus;
  /** Resolves after so many milliseconds, or as soon as the signal aborts. It never rejects. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A watch that nobody ends by a key ends after so many looks in a row that show nothing new. */
export const QUIET_LOOKS = 10;
/** And after so many looks in any case. */
export const MAX_LOOKS = 100;

/**
 * Gives out the status now and each time that it is found changed, until nothing changes any more.
 *
 * @param show takes it; the next look comes when it is done.
 * @param signal ends it early.
 * @returns how it ended, for people.
 */
export async function watchChanges(
  { look, pause }: WatchParts,
  intervalMs: number,
  show: (status: KeyValueClusterStatus) => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  let shown = "";
  let quiet = 0;
  for (let looks = 1; looks <= MAX_LOOKS; looks += 1) {
    if (signal.aborted) return "OK, interrupted";
    const status = look();
    const found = JSON.stringify(status);
    if (found === shown) {
      quiet += 1;
      if (quiet === QUIET_LOOKS) return `OK, nothing changed for ${QUIET_LOOKS * intervalMs} ms`;
    } else {
      shown = found;
      quiet = 0;
      await show(status);
    }
    await pause(intervalMs, signal);
  }
  return `OK, looked ${MAX_LOOKS} times, and it may still change`;
}

/**
 * Draws the status again and again until the signal aborts.
 *
 * @param draw puts it in place of the last one.
 */
export async function watchLive(
  { look, pause }: WatchParts,
  intervalMs: number,
  draw: (status: KeyValueClusterStatus) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    draw(look());
    await pause(intervalMs, signal);
  }
}
