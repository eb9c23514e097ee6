import { setImmediate } from "node:timers/promises";

/** Lets everything that is due now happen: promises, immediates and streams that wait on nothing outside. */
export async function settleTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}
