import { checkInteger } from "../check.js";

/**
 * A protobuf `uint64` as JavaScript decoders give it: some a number, some a bigint. Conversions take
 * either and always give numbers.
 */
export type U64 = number | bigint;

/**
 * Turns a {@link U64} into a number, exactly.
 *
 * @throws {InvalidValueError} that names `field`, when it is below `min`, past 2^53 - 1 or no integer.
 */
export function fromU64(field: string, value: U64 | undefined, min: number): number {
  const fits = typeof value === "bigint" && BigInt.asIntN(54, value) === value;
  return checkInteger(field, fits ? Number(value) : value, min);
}
