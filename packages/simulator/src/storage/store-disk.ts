import type { StorageVerb } from "@seshat/common";
import { StorageError } from "@seshat/common";
import type { MaybePromise } from "@seshat/storage";
import type { Disk } from "../disk/disk.js";
import { andThen } from "./maybe-promise.js";

/** The names of files that are being written end like this. What is left of them at a start is removed. */
export const TEMPORARY_SUFFIX = ".tmp";

/**
 * The disk of one store, both halves of it. After a failed write or sync nobody knows what the disk holds, so nothing is done any more:
 * every later call fails.
 */
export class StoreDisk {
  readonly disk: Disk;
  #failure: StorageError | null = null;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  /** @throws {StorageError} when the store failed before. */
  check(verb: StorageVerb): void {
    if (this.#failure === null) return;
    throw new StorageError(verb, `the store failed before: ${this.#failure.message}`, {
      cause: this.#failure,
    });
  }

  /** Nothing is done any more. @returns the error to throw. */
  fail(verb: StorageVerb, thrown: unknown): StorageError {
    const error = asStorageError(verb, thrown);
    this.#failure ??= error;
    return error;
  }

  /** Does something that changes the disk. When it fails, so does the store. */
  change<T>(verb: StorageVerb, act: () => MaybePromise<T>): MaybePromise<T> {
    this.check(verb);
    try {
      const result = act();
      if (!(result instanceof Promise)) return result;
      return result.catch((thrown: unknown) => {
        throw this.fail(verb, thrown);
      });
    } catch (thrown) {
      throw this.fail(verb, thrown);
    }
  }

  /** Writes all of `bytes`, however often the disk writes only a part of them. */
  write(verb: StorageVerb, file: string, offset: number, bytes: Uint8Array): MaybePromise<void> {
    return andThen(this.disk.write(file, offset, bytes), (written) => {
      if (written === bytes.length) return;
      if (!(written > 0 && written < bytes.length)) {
        throw new StorageError(verb, `${file}: the disk wrote ${written} of ${bytes.length} bytes`);
      }
      return this.write(verb, file, offset + written, bytes.subarray(written));
    });
  }

  /**
   * Makes a file durable. Its length is looked at first: a write that went to another place left it too short, and is found out before
   * anybody counts on it.
   */
  async sync(verb: StorageVerb, file: string, length: number): Promise<void> {
    const size = await this.disk.size(file);
    if (size !== length) {
      throw new StorageError(verb, `${file} has ${size ?? "no"} bytes, but ${length} were written`);
    }
    await this.disk.sync(file);
  }

  /** Writes a whole file in place of an older one: after a crash there is the one or the other. Durable once it returns. */
  async replace(verb: StorageVerb, file: string, bytes: Uint8Array): Promise<void> {
    const temporary = file + TEMPORARY_SUFFIX;
    await this.write(verb, temporary, 0, bytes);
    await this.sync(verb, temporary, bytes.length);
    await this.disk.rename(temporary, file);
    await this.disk.syncDirectory();
  }

  /** The whole content of a file; null when there is none. */
  async readWhole(file: string): Promise<Uint8Array | null> {
    const size = await this.disk.size(file);
    return size === null ? null : this.disk.read(file, 0, size);
  }

  async removeIfThere(file: string): Promise<void> {
    if ((await this.disk.size(file)) !== null) await this.disk.remove(file);
  }
}

/** Whatever was thrown, as a `StorageError`. */
export function asStorageError(verb: StorageVerb, thrown: unknown): StorageError {
  if (thrown instanceof StorageError) return thrown;
  return new StorageError(verb, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}
