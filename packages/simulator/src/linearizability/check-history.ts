import { InvalidValueError } from "@seshat/common";
import type { History, Operation } from "./operation.js";

/**
 * Checks that a history can be what clients saw: every operation well formed, and every client sequential. After an
 * unknown outcome a client may go on whenever it likes, since it may have given up waiting.
 *
 * @throws {InvalidValueError} that names the field, e.g. `history[3].ret`.
 */
export function checkHistory<I, O>(history: History<I, O>): void {
  if (!Array.isArray(history)) throw new InvalidValueError("history", history, "an array of operations");
  for (let index = 0; index < history.length; index += 1) checkOperation(history[index], `history[${index}]`);
  checkClients(history);
}

function checkOperation(given: unknown, field: string): void {
  if (typeof given !== "object" || given === null) {
    throw new InvalidValueError(field, given, "an operation: { client, input, call, status, ... }");
  }
  const { client, call, ret, status } = given as Record<keyof Operation<unknown, unknown>, unknown> & {
    ret?: unknown;
  };
  if (typeof client !== "string" && (typeof client !== "number" || Number.isNaN(client))) {
    throw new InvalidValueError(`${field}.client`, client, "a string or a number");
  }
  if (status !== "ok" && status !== "unknown" && status !== "fail") {
    throw new InvalidValueError(`${field}.status`, status, '"ok", "unknown" or "fail"');
  }
  if (!isTime(call)) throw new InvalidValueError(`${field}.call`, call, "a finite number");
  if (!("input" in given)) throw new InvalidValueError(`${field}.input`, undefined, "given");
  if (status === "ok" && !("output" in given)) {
    throw new InvalidValueError(`${field}.output`, undefined, 'given when the status is "ok"');
  }
  if (status !== "ok" && (ret === undefined || ret === null)) return;
  if (!isTime(ret) || ret < call) {
    throw new InvalidValueError(`${field}.ret`, ret, `a finite number of at least call (${call})`);
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** When, and in which operation, a client was last heard to be busy. */
interface LastReturn {
  readonly index: number;
  readonly ret: number;
}

function checkClients(history: History<unknown, unknown>): void {
  const answered = history.flatMap((operation, index) => {
    const { client, call, status, ret } = operation;
    return status === "unknown" || typeof ret !== "number" ? [] : [{ client, call, ret, index }];
  });
  answered.sort((a, b) => a.call - b.call || a.ret - b.ret);
  const last = new Map<string | number, LastReturn>();
  for (const { client, call, ret, index } of answered) {
    const before = last.get(client);
    if (before !== undefined && call < before.ret) {
      throw new InvalidValueError(
        `history[${index}].call`,
        call,
        `at least ${before.ret}, when history[${before.index}] of the same client returned: a client waits for one operation before it calls the next`,
      );
    }
    last.set(client, { index, ret });
  }
}
