import { InvalidValueError, checkInteger } from "@seshat/common";
import type { OperationLimits } from "@seshat/storage";
import { DEFAULT_OPERATION_LIMITS } from "@seshat/storage";

/** The longest time that every timer can hold, in milliseconds. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/** @throws {InvalidValueError} that names a field which does not exist: most often a misspelt one. */
export function refuseUnknownFields(path: string, value: object, known: ReadonlySet<string>): void {
  for (const field of Object.keys(value)) {
    if (known.has(field)) continue;
    throw new InvalidValueError(
      `${path}.${field}`,
      (value as Record<string, unknown>)[field],
      "left out: there is no such option",
    );
  }
}

/** Fills in the defaults of the limits and checks each. @throws {InvalidValueError} that names the field. */
export function checkLimits(given: Partial<OperationLimits>): OperationLimits {
  refuseUnknownFields("options.limits", given, new Set(Object.keys(DEFAULT_OPERATION_LIMITS)));
  const limits = { ...DEFAULT_OPERATION_LIMITS, ...given };
  checkInteger("options.limits.maxKeyBytes", limits.maxKeyBytes, 1);
  checkInteger("options.limits.maxValueBytes", limits.maxValueBytes, 0);
  checkInteger("options.limits.maxKeys", limits.maxKeys, 1);
  return limits;
}

/** Checks a time in whole milliseconds that a timer is to wait for. @throws {InvalidValueError} that names the field. */
export function checkTimeoutMs(field: string, value: unknown): number {
  const timeoutMs = checkInteger(field, value, 1);
  if (timeoutMs > MAX_TIMEOUT_MS) {
    throw new InvalidValueError(field, value, `an integer from 1 to ${MAX_TIMEOUT_MS}`);
  }
  return timeoutMs;
}
