import { InvalidValueError, SeshatError, checkInteger } from "@seshat/common";

/** Sets `key` to `value`, whatever it was. */
export interface SetOperation {
  readonly type: "set";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Deletes those of `keys` (at least one) that exist. */
export interface DelOperation {
  readonly type: "del";
  readonly keys: readonly Uint8Array[];
}

/** A command of the key-value state machine. Keys and values are any bytes, also none. */
export type Operation = SetOperation | DelOperation;

/** How large an operation may be. */
export interface OperationLimits {
  /** The longest key, in bytes. At least 1. */
  readonly maxKeyBytes: number;
  /** The longest value, in bytes. At least 0. */
  readonly maxValueBytes: number;
  /** The most keys of one operation. At least 1. */
  readonly maxKeys: number;
}

/** Keys of 256 bytes, values of 64 KiB, 1024 keys an operation. */
export const DEFAULT_OPERATION_LIMITS: OperationLimits = Object.freeze({
  maxKeyBytes: 256,
  maxValueBytes: 65_536,
  maxKeys: 1024,
});

/** An operation is larger than the limits allow. It was not proposed: nothing has changed. */
export class OperationTooLargeError extends SeshatError {
  override readonly code = "operationTooLarge";
  /** What is too large: a path such as `"operation.key"` or `"operation.keys[3]"`. */
  readonly field: string;
  /** How large it is, in `unit`. */
  readonly size: number;
  /** The most it may be, in `unit`. */
  readonly limit: number;
  /** What `size` and `limit` count. */
  readonly unit: "bytes" | "keys";

  constructor(field: string, size: number, limit: number, unit: "bytes" | "keys") {
    super(`${field} has ${size} ${unit}, but the limit is ${limit}`);
    this.field = field;
    this.size = size;
    this.limit = limit;
    this.unit = unit;
  }
}

/**
 * Checks an operation before it is proposed. Limits belong here and never into `apply`, whose result
 * depends on the log alone: nodes with different limits would come to different states.
 *
 * @throws {OperationTooLargeError} when the operation passes a limit.
 * @throws {InvalidValueError} when the operation or a limit is no such thing at all.
 */
export function checkOperation(
  operation: Operation,
  limits: OperationLimits = DEFAULT_OPERATION_LIMITS,
): void {
  checkInteger("limits.maxKeyBytes", limits.maxKeyBytes, 1);
  checkInteger("limits.maxValueBytes", limits.maxValueBytes, 0);
  checkInteger("limits.maxKeys", limits.maxKeys, 1);
  checkShape(operation);
  if (operation.type === "set") {
    checkSize("operation.key", operation.key, limits.maxKeyBytes);
    checkSize("operation.value", operation.value, limits.maxValueBytes);
  } else {
    const { keys } = operation;
    if (keys.length > limits.maxKeys) {
      throw new OperationTooLargeError("operation.keys", keys.length, limits.maxKeys, "keys");
    }
    keys.forEach((key, at) => checkSize(`operation.keys[${at}]`, key, limits.maxKeyBytes));
  }
}

/**
 * Checks that an operation is one, of any size.
 *
 * @throws {InvalidValueError} that names the field.
 */
export function checkShape(operation: Operation): void {
  switch (operation.type) {
    case "set":
      checkBytes("operation.key", operation.key);
      checkBytes("operation.value", operation.value);
      return;
    case "del":
      if (!Array.isArray(operation.keys) || operation.keys.length === 0) {
        throw new InvalidValueError("operation.keys", operation.keys, "an array of at least one key");
      }
      operation.keys.forEach((key, at) => checkBytes(`operation.keys[${at}]`, key));
      return;
    default: {
      const { type }: { type: unknown } = operation satisfies never;
      throw new InvalidValueError("operation.type", type, `"set" or "del"`);
    }
  }
}

function checkBytes(field: string, value: unknown): void {
  if (!(value instanceof Uint8Array)) throw new InvalidValueError(field, value, "a Uint8Array");
}

function checkSize(field: string, bytes: Uint8Array, limit: number): void {
  if (bytes.length > limit) throw new OperationTooLargeError(field, bytes.length, limit, "bytes");
}
