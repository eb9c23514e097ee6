import { InvalidValueError } from "@seshat/common";

const MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** An integer of the wire, which are all at most 2^53 - 1. @throws {InvalidValueError} that names `field`. */
export function toNumber(field: string, value: bigint): number {
  if (value > MAX) throw new InvalidValueError(field, String(value), "an integer from 0 to 2^53 - 1");
  return Number(value);
}
