import { Refusal } from "../refusal.js";
import { INT64_MAX, integerArgument } from "./parse.js";
import type { Integer } from "./parse.js";

const MAX_SECONDS = INT64_MAX / 1000n;
/** Deadlines later than this are kept as this one anyway. */
const FAR = Number.MAX_SAFE_INTEGER;

/** How a deadline is given: `EX` and `PX` from now, `EXAT` and `PXAT` since 1970. */
export type ExpireUnit = "EX" | "PX" | "EXAT" | "PXAT";

export function invalidExpireTime(command: string): Refusal {
  return new Refusal(`ERR invalid expire time in '${command}' command`);
}

/**
 * The deadline of `SET k v EX 10` and the like, in milliseconds since 1970.
 *
 * @param command its name, for the error.
 * @throws {Refusal} when it is no integer, not above 0, or too far away for 64 bits.
 */
export function deadlineArgument(
  bytes: Uint8Array | undefined,
  unit: ExpireUnit,
  now: number,
  command: string,
): number {
  const amount = integerArgument(bytes);
  if (amount <= 0) throw invalidExpireTime(command);
  const seconds = unit === "EX" || unit === "EXAT";
  const base = unit === "EX" || unit === "PX" ? now : 0;
  if (typeof amount === "number" && amount < 1e12) return (seconds ? amount * 1000 : amount) + base;
  return far(amount, seconds, base, command);
}

function far(amount: Integer, seconds: boolean, base: number, command: string): number {
  const exact = BigInt(amount);
  if (seconds && exact > MAX_SECONDS) throw invalidExpireTime(command);
  const sum = (seconds ? exact * 1000n : exact) + BigInt(base);
  if (sum > INT64_MAX) throw invalidExpireTime(command);
  return sum > BigInt(FAR) ? FAR : Number(sum);
}
