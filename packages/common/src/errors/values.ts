import { SeshatError } from "./seshat-error.js";
import { show } from "./show.js";

/** A value from outside cannot be used: a configuration field, an argument, an id. */
export class InvalidValueError extends SeshatError {
  override readonly code = "invalidValue";
  /** The field or argument, as a path, e.g. `"config.heartbeatIntervalMs"`. */
  readonly field: string;
  /** The value, as text and not all of it when it is long. */
  readonly found: string;
  /** What can be used. */
  readonly expected: string;

  constructor(field: string, value: unknown, expected: string) {
    const found = show(value);
    super(`${field} is ${found}, but it must be ${expected}`);
    this.field = field;
    this.found = found;
    this.expected = expected;
  }
}

/** Bytes that do not decode: truncated, damaged, of an unknown version, or not ours at all. */
export class CodecError extends SeshatError {
  override readonly code = "codec";
  /** What was being decoded, e.g. `"operation"`. */
  readonly format: string;
  /** Where decoding stopped, in bytes from the start. */
  readonly offset: number;
  /** What is wrong there. */
  readonly problem: string;

  constructor(format: string, offset: number, problem: string) {
    super(`cannot decode ${format} at byte ${offset}: ${problem}`);
    this.format = format;
    this.offset = offset;
    this.problem = problem;
  }
}
