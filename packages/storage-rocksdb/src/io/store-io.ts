import {
  close,
  constants,
  fdatasync,
  fsync,
  open,
  read,
  rename,
  unlink,
  write,
  writeSync,
  writev,
} from "node:fs";
import { promisify } from "node:util";
import { loadRocksdb } from "../native/load.js";
import type { RocksConstructor } from "../native/rocksdb.js";

/**
 * Everything a store does to files itself, and the way to RocksDB: one place, so that tests can watch it, let it fail, and have the
 * power fail between any two calls. Paths are absolute.
 */
export interface StoreIo {
  open(path: string, flags: "r" | "r+" | "w+" | "wx+"): Promise<number>;
  /** Opens a file to be written with {@link StoreIo.writeDurably}. */
  openDurable(path: string): Promise<number>;
  close(fd: number): Promise<void>;
  /** Writes all of `bytes` at `offset`. */
  write(fd: number, bytes: Uint8Array, offset: number, path: string): Promise<void>;
  /** Writes a few bytes at `offset`, into what the system holds in memory of a file that was just written: not worth a trip to another thread. */
  writeNow(fd: number, bytes: Uint8Array, offset: number, path: string): Promise<void> | void;
  /** Writes the pieces one behind the other from `offset` on. Ends when they are durable. */
  writeDurably(fd: number, pieces: readonly Uint8Array[], offset: number, path: string): Promise<void>;
  /** Reads into all of `bytes` from `offset` on; returns how many came, fewer only at the end of the file. */
  read(fd: number, bytes: Uint8Array, offset: number): Promise<number>;
  /** Ends when everything written to the file before is durable. */
  datasync(fd: number, path: string): Promise<void>;
  /** Ends when the names of the files of a directory are durable. */
  syncDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Called before each batch that goes to RocksDB. */
  beforeBatch(): Promise<void> | void;
  loadRocksdb(): Promise<RocksConstructor>;
}

/** As many as the system takes in one call. */
const MAX_PIECES = 1024;

const fs = {
  open: promisify(open),
  close: promisify(close),
  write: promisify(write),
  read: promisify(read),
  fdatasync: promisify(fdatasync),
  fsync: promisify(fsync),
  rename: promisify(rename),
  unlink: promisify(unlink),
};

/**
 * Where the system can write and sync in one call, it does: each call takes a trip to another thread. Elsewhere a sync follows: what macOS makes of this
 * flag does not reach past the cache of the disk, and Windows does not have it.
 */
const DSYNC = process.platform === "linux" ? constants.O_DSYNC : 0;

/** The machine's own files. Every call that may wait for a disk works on the thread pool, off the main thread. */
export const nodeIo: StoreIo = {
  open: (path, flags) => fs.open(path, flags),
  openDurable: (path) => fs.open(path, constants.O_RDWR | DSYNC),
  close: (fd) => fs.close(fd),
  async write(fd, bytes, offset) {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await fs.write(fd, bytes, at, bytes.length - at, offset + at);
      at += bytesWritten;
    }
  },
  writeNow(fd, bytes, offset) {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
  },
  async writeDurably(fd, pieces, offset) {
    await writePieces(fd, pieces, offset);
    if (DSYNC === 0) await fs.fdatasync(fd);
  },
  async read(fd, bytes, offset) {
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await fs.read(fd, bytes, at, bytes.length - at, offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return at;
  },
  datasync: (fd) => fs.fdatasync(fd),
  async syncDirectory(path) {
    // Windows cannot open a directory, and makes names durable by itself.
    if (process.platform === "win32") return;
    const fd = await fs.open(path, "r");
    try {
      await fs.fsync(fd);
    } finally {
      await fs.close(fd);
    }
  },
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  beforeBatch: () => {},
  loadRocksdb,
};

/** One call to the system, nearly always: it may write less than it was given. */
async function writePieces(fd: number, pieces: readonly Uint8Array[], offset: number): Promise<void> {
  let left = pieces;
  for (let at = offset; left.length > 0;) {
    const written = await writeSome(fd, left.slice(0, MAX_PIECES), at);
    at += written;
    left = after(left, written);
  }
}

function writeSome(fd: number, pieces: readonly Uint8Array[], offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = (error: NodeJS.ErrnoException | null, written: number): void =>
      error === null ? resolve(written) : reject(error);
    const [first] = pieces as [Uint8Array];
    if (pieces.length === 1) write(fd, first, 0, first.length, offset, done);
    else writev(fd, pieces, offset, done);
  });
}

/** What is left of the pieces behind their first `count` bytes. */
function after(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skipped = count;
  for (const [at, piece] of pieces.entries()) {
    if (skipped < piece.length) return [piece.subarray(skipped), ...pieces.slice(at + 1)];
    skipped -= piece.length;
  }
  return [];
}
