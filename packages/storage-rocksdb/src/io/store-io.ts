import {
  close,
  fdatasync,
  fstatSync,
  fsync,
  ftruncate,
  open,
  read,
  rename,
  unlink,
  write,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { loadRocksdb } from "../native/load.js";
import type { RocksConstructor } from "../native/rocksdb.js";

/**
 * Everything a store does to files itself, and the way to RocksDB: one place, so that tests can watch it, let it fail, and have the
 * power fail between any two calls. Paths are absolute.
 */
export interface StoreIo {
  open(path: string, flags: "r" | "r+" | "wx+"): Promise<number>;
  close(fd: number): Promise<void>;
  /** Writes all of `bytes` at `offset`. */
  write(fd: number, bytes: Uint8Array, offset: number, path: string): Promise<void>;
  /** Writes a few bytes at `offset`, into what the system holds in memory of a file that was just written: not worth a trip to another thread. */
  writeNow(fd: number, bytes: Uint8Array, offset: number, path: string): Promise<void> | void;
  /** The length of an open file. */
  size(fd: number): number;
  /** Reads into all of `bytes` from `offset` on; returns how many came, fewer only at the end of the file. */
  read(fd: number, bytes: Uint8Array, offset: number): Promise<number>;
  /** Cuts the file off. */
  truncate(fd: number, size: number, path: string): Promise<void>;
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

const fs = {
  open: promisify(open),
  close: promisify(close),
  write: promisify(write),
  read: promisify(read),
  fdatasync: promisify(fdatasync),
  fsync: promisify(fsync),
  ftruncate: promisify(ftruncate),
  rename: promisify(rename),
  unlink: promisify(unlink),
};

/** The machine's own files. Every call that may wait for a disk works on the thread pool, off the main thread. */
export const nodeIo: StoreIo = {
  open: (path, flags) => fs.open(path, flags),
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
  size: (fd) => fstatSync(fd).size,
  async read(fd, bytes, offset) {
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await fs.read(fd, bytes, at, bytes.length - at, offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return at;
  },
  truncate: (fd, size) => fs.ftruncate(fd, size),
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
