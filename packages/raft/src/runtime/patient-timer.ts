import type { AsyncRuntime, Timer } from "@seshat/common";

/**
 * Sets a timer for what concludes from silence. Timers come before sockets: when this process stood still, because something took long or the
 * machine gave it no time, the first of them would find that nobody answers while the answers wait to be read. So the sockets have their
 * turn first.
 */
export function setPatientTimer(runtime: AsyncRuntime, delayMs: number, callback: () => void): Timer {
  let isCancelled = false;
  const timer = runtime.setTimer(delayMs, () =>
    runtime.yield(() => {
      if (!isCancelled) callback();
    }),
  );
  return {
    cancel: () => {
      isCancelled = true;
      timer.cancel();
    },
  };
}
