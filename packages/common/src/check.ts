import { InvalidValueError } from "./errors.js";
import type { NodeId } from "./node.js";

/**
 * Checks that `value` is an integer from `min` to 2^53 - 1.
 *
 * Indexes, terms and node ids are u64 on the wire and JavaScript numbers in memory; past 2^53 a
 * number can no longer tell two neighbours apart, so such a value is refused, never rounded.
 *
 * @throws {InvalidValueError} that names `field` and shows the value.
 */
export function checkInteger(field: string, value: unknown, min: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min) {
    throw new InvalidValueError(field, value, `an integer from ${min} to 2^53 - 1`);
  }
  return value;
}

/**
 * Checks that `value` can be a node id.
 *
 * @throws {InvalidValueError} that names `field`.
 */
export function checkNodeId(field: string, value: unknown): NodeId {
  return checkInteger(field, value, 1);
}
