import type { StorageVerb } from "@seshat/common";
import { StorageError } from "@seshat/common";

/**
 * A file does not hold what was written to it and synced, or may not: a torn tail and damage could not be told apart. The store is not used
 * any more: give the node an empty one, as a new member.
 */
export class DamagedFileError extends StorageError {
  readonly file: string;
  /** The first byte of what cannot be read. */
  readonly offset: number;

  constructor(verb: StorageVerb, file: string, offset: number, problem: string, options?: ErrorOptions) {
    super(verb, `${file} is damaged at byte ${offset}: ${problem}`, options);
    this.file = file;
    this.offset = offset;
  }
}
