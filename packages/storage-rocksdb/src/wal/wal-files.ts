import { join } from "node:path";
import type { StoreIo } from "../io/store-io.js";
import { walName, walNumbers } from "./inspect-wals.js";

/**
 * Makes the WAL files of an open database durable. The newest is held open; RocksDB deletes one only once all of it stands in tables
 * that RocksDB has synced, so a file that is gone needs no sync.
 */
export class WalFiles {
  readonly #dir: string;
  readonly #io: StoreIo;
  /** The number of the newest file that was synced, and its descriptor; null when it was deleted before it could be opened. */
  #number = 0;
  #fd: number | null = null;
  /** Where it is. To put that together costs something, and every durable write asks for it. */
  #newestPath = "";

  constructor(dir: string, io: StoreIo) {
    this.#dir = dir;
    this.#io = io;
  }

  /** The number of the file that is held open, the newest that is known. */
  get newest(): number {
    return this.#number;
  }

  /** Its length; null when it is not held open. */
  newestSize(): number | null {
    return this.#fd === null ? null : this.#io.size(this.#fd);
  }

  /** Ends when everything is durable that was written to the newest file that is known. One call at a time. */
  async syncNewest(): Promise<void> {
    if (this.#fd !== null) await this.#io.datasync(this.#fd, this.#newestPath);
  }

  /** After {@link syncNewest}: makes durable what was written to later files, up to number `current`. */
  async syncUpTo(current: number): Promise<void> {
    if (current === this.#number) return;
    const newer = await walNumbers(this.#dir);
    for (const number of newer.filter((number) => number > this.#number && number < current)) {
      const fd = await this.#openIfThere(number);
      if (fd === null) continue;
      try {
        await this.#io.datasync(fd, this.#path(number));
      } finally {
        await this.#io.close(fd);
      }
    }
    await this.close();
    this.#fd = await this.#openIfThere(current);
    if (this.#fd !== null) await this.#io.datasync(this.#fd, this.#path(current));
    await this.#io.syncDirectory(this.#dir);
    this.#number = current;
    this.#newestPath = this.#path(current);
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) await this.#io.close(fd);
  }

  async #openIfThere(number: number): Promise<number | null> {
    try {
      return await this.#io.open(this.#path(number), "r+");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw cause;
    }
  }

  #path(number: number): string {
    return join(this.#dir, walName(number));
  }
}
