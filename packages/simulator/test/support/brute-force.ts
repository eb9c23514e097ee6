import type { History, Operation } from "../../src/index.js";
import type { Oracle } from "./oracles.js";

/** Replays the operations in this order; whether each that was answered was answered so. */
export function explains<I, O>(oracle: Oracle<I, O>, order: readonly Operation<I, O>[]): boolean {
  const ask = oracle.start();
  return order.every((operation) => {
    const output = ask(operation.input);
    return operation.status !== "ok" || JSON.stringify(output) === JSON.stringify(operation.output);
  });
}

/** Whether `a` was over before `b` began. */
export function precedes<I, O>(a: Operation<I, O>, b: Operation<I, O>): boolean {
  return a.status === "ok" && a.ret < b.call;
}

/**
 * The definition of linearizability, word by word: is there any order, of all operations that were answered and some of those
 * with unknown outcomes, that keeps the order of time and explains all answers? For small histories only.
 */
export function isLinearizable<I, O>(oracle: Oracle<I, O>, history: History<I, O>): boolean {
  const left = history.filter(({ status }) => status !== "fail");
  return canGoOn(oracle, [], left);
}

function canGoOn<I, O>(
  oracle: Oracle<I, O>,
  order: readonly Operation<I, O>[],
  left: readonly Operation<I, O>[],
): boolean {
  if (!explains(oracle, order)) return false;
  if (left.every(({ status }) => status === "unknown")) return true;
  return left.some((next) => {
    const others = left.filter((other) => other !== next);
    return !others.some((other) => precedes(other, next)) && canGoOn(oracle, [...order, next], others);
  });
}
