import { CommandError } from "./command-error.js";
import { latin1 } from "./text.js";

const LONGEST = 1024;

/** @throws {CommandError} when it has characters that CLIENT LIST could not show. */
export function checkClientName(bytes: Uint8Array, what = "Client names"): string {
  const text = latin1(bytes);
  if (!/^[!-~]*$/.test(text)) {
    throw new CommandError(`ERR ${what} cannot contain spaces, newlines or special characters.`);
  }
  if (text.length > LONGEST)
    throw new CommandError(`ERR ${what} cannot be longer than ${LONGEST} characters.`);
  return text;
}
