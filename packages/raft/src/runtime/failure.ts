import type { StorageVerb } from "@seshat/common";
import { StorageError } from "@seshat/common";

/** Whatever storage threw, as a {@link StorageError} that says what it was doing. */
export function storageFailure(verb: StorageVerb, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  return new StorageError(verb, cause instanceof Error ? cause.message : String(cause), { cause });
}

/** Whatever was thrown, as an `Error`. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
