import { createHash, timingSafeEqual } from "node:crypto";
import { CommandError } from "./command-error.js";
import { latin1 } from "./text.js";

const WRONG = "WRONGPASS invalid username-password pair or user is disabled.";

/**
 * Checks what a client says who it is. It takes as long whatever is wrong.
 *
 * @param expected empty when there is none: then every password is right, as for Redis's default user.
 * @throws {CommandError} when it is wrong.
 */
export function checkPassword(expected: string, user: Uint8Array | undefined, password: Uint8Array): void {
  const isRight = timingSafeEqual(digest(Buffer.from(expected, "utf8")), digest(password)) || expected === "";
  if (!isRight || (user !== undefined && latin1(user) !== "default")) throw new CommandError(WRONG);
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
