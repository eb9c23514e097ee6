import { findDifference } from "./difference.js";

/** What a check found. A case makes a `ConformanceError` of it. */
export class Mismatch extends Error {}

/** @throws {Mismatch} that says `problem`, unless it holds. */
export function check(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Mismatch(problem);
}

/** @throws {Mismatch} that says where the two first differ. Byte arrays count by their bytes, maps by their entries. */
export function checkEqual(what: string, found: unknown, expected: unknown): void {
  const difference = findDifference(found, expected);
  if (difference !== null) throw new Mismatch(`${what}${difference}`);
}

/**
 * Waits for a call that must fail, by a throw or a rejection.
 *
 * @returns what it failed with.
 * @throws {Mismatch} when it does not.
 */
export async function checkFails(what: string, call: () => unknown): Promise<unknown> {
  let result: unknown;
  try {
    result = await call();
  } catch (error) {
    return error;
  }
  const found = result === undefined ? "" : ` and gave ${typeof result}`;
  throw new Mismatch(`${what} was accepted${found}, and must be refused`);
}
