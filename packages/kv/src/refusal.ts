import type { ErrorReply } from "./reply.js";
import { errorReply } from "./reply.js";

/**
 * Thrown by a command that does not go on, before it changed anything: its reply becomes the command's. The common ones are made
 * once, because collecting a stack takes longer than most commands.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reply: ErrorReply;

  constructor(message: string) {
    super(message);
    this.reply = errorReply(message);
  }
}

export const WRONG_TYPE: Refusal = new Refusal(
  "WRONGTYPE Operation against a key holding the wrong kind of value",
);
export const NOT_AN_INTEGER: Refusal = new Refusal("ERR value is not an integer or out of range");
export const NOT_A_FLOAT: Refusal = new Refusal("ERR value is not a valid float");
export const SYNTAX_ERROR: Refusal = new Refusal("ERR syntax error");
export const OUT_OF_RANGE: Refusal = new Refusal("ERR value is out of range");
export const OVERFLOW: Refusal = new Refusal("ERR increment or decrement would overflow");
export const NAN_OR_INFINITY: Refusal = new Refusal("ERR increment would produce NaN or Infinity");
export const NO_SUCH_KEY: Refusal = new Refusal("ERR no such key");
export const KEY_TOO_LARGE: Refusal = new Refusal("ERR key too large");
export const VALUE_TOO_LARGE: Refusal = new Refusal("ERR value too large");
export const STRING_TOO_LONG: Refusal = new Refusal(
  "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
);
export const OUT_OF_MEMORY: Refusal = new Refusal("OOM command not allowed when used memory > 'maxmemory'.");
