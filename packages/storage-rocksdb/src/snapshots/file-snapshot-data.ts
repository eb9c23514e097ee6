import type { SnapshotData } from "@seshat/common";
import { InvalidValueError, StorageError, checkInteger } from "@seshat/common";
import { messageOf } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";

const CHUNK_BYTES = 262_144;

/** A file that is open for reading. */
interface OpenFile {
  readonly fd: number;
  readonly io: StoreIo;
  closed: boolean;
  /** Calls that the system works on: it may come to them only when the file would be closed, and another one have its number. */
  readonly underWay: Set<Promise<unknown>>;
}

/** Closes the files of contents that nobody holds any more. */
const unheld = new FinalizationRegistry<OpenFile>((file) => {
  // The process goes on without this descriptor or with it: there is nobody to tell.
  closeFile(file).catch(() => {});
});

/**
 * The content of a snapshot in a file. The file is held open, so that it can be read for as long as somebody holds this object, also when
 * its name is gone; after that, the system removes it. Reading takes a chunk of memory at a time.
 */
export class FileSnapshotData implements SnapshotData {
  readonly size: number;
  readonly givesChunksAway = true;
  /** The path under which the file was written. */
  readonly path: string;
  readonly #file: OpenFile;
  readonly #start: number;

  /** @param start where the content begins in the file. It goes on to the end. */
  constructor(io: StoreIo, fd: number, path: string, start: number, size: number) {
    this.#file = { fd, io, closed: false, underWay: new Set() };
    this.path = path;
    this.size = size;
    this.#start = start;
    unheld.register(this, this.#file, this.#file);
  }

  /** @throws {StorageError} while it is read, when the file cannot be, or is shorter than it was. */
  read(offset: number): AsyncIterable<Uint8Array> {
    checkInteger("offset", offset, 0);
    if (offset > this.size) {
      throw new InvalidValueError("offset", offset, `an integer from 0 to ${this.size}`);
    }
    return this.#read(offset);
  }

  /** Ends when all of the file is durable. */
  async sync(): Promise<void> {
    const { fd, io, closed } = this.#file;
    if (closed) throw new StorageError("build snapshot", "the store is closed");
    await this.#work(io.datasync(fd, this.path));
  }

  /** Nobody reads it any more: the store is closed. What is being read is read to its end first. */
  async close(): Promise<void> {
    unheld.unregister(this.#file);
    await closeFile(this.#file);
  }

  async *#read(offset: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < this.size; at += CHUNK_BYTES) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, this.size - at));
      await this.#fill(chunk, at);
      yield chunk;
    }
  }

  async #fill(chunk: Uint8Array, at: number): Promise<void> {
    const { fd, io, closed } = this.#file;
    if (closed) throw new StorageError("read snapshot", "the store is closed");
    let length: number;
    try {
      length = await this.#work(io.read(fd, chunk, this.#start + at));
    } catch (cause) {
      throw new StorageError("read snapshot", messageOf(cause), { cause });
    }
    if (length < chunk.length) {
      throw new StorageError("read snapshot", `${this.path} ends at byte ${at + length} of ${this.size}`);
    }
  }

  async #work<T>(call: Promise<T>): Promise<T> {
    const { underWay } = this.#file;
    underWay.add(call);
    try {
      return await call;
    } finally {
      underWay.delete(call);
    }
  }
}

async function closeFile(file: OpenFile): Promise<void> {
  if (file.closed) return;
  file.closed = true;
  await Promise.allSettled(file.underWay);
  await file.io.close(file.fd);
}
