import type { ClosedLoop } from "./closed-loop.js";
import { closedLoop } from "./closed-loop.js";

/** After so many hops by microtask, one by macrotask: without it timers and sockets would never get their turn. */
const HOPS_BEFORE_YIELD = 64;

/**
 * What any asynchronous call costs at least in JavaScript: a promise for each operation, all those of a turn resolved together in
 * the next, and nothing else. What Raft reaches is given as a share of what this reaches, so that the speed of the machine
 * cancels out.
 */
export function promiseLimit(clients: number): ClosedLoop {
  let waiting: ((answer: null) => void)[] = [];
  let hops = 0;
  const resolveAll = (): void => {
    const resolvers = waiting;
    waiting = [];
    for (const resolve of resolvers) resolve(null);
  };
  const operation = (): Promise<null> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length > 1) return;
      hops += 1;
      if (hops % HOPS_BEFORE_YIELD === 0) setImmediate(resolveAll);
      else queueMicrotask(resolveAll);
    });
  return closedLoop(clients, operation, () => {});
}
