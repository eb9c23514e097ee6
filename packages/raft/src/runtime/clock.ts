import type { AsyncRuntime } from "@seshat/common";

/** A timer may find itself early by a rounding error, and must not be set again for nothing. In milliseconds. */
export const CLOCK_PRECISION_MS = 0.001;

interface ImmediateScope {
  setImmediate?: (callback: () => void) => unknown;
}

/** A macrotask: `setImmediate` where there is one, a message to oneself elsewhere. */
function makeYield(): (callback: () => void) => void {
  const immediate = (globalThis as ImmediateScope).setImmediate;
  if (immediate !== undefined) return (callback) => void immediate(callback);
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.addEventListener("message", () => waiting.shift()?.());
  channel.port1.start();
  return (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(null);
  };
}

/** The global is looked up by a getter, each time. */
const clock = performance;

/** Long settled: a reaction to it is a microtask, for a third of what `queueMicrotask` of Node.js costs. */
const SETTLED = Promise.resolve();

/** The clock, timers and randomness of this machine: the runtime of every production node. */
export const systemRuntime: AsyncRuntime = {
  now: () => clock.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  soon: (callback) => void SETTLED.then(callback),
  yield: makeYield(),
  random: () => Math.random(),
};
