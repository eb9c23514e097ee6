import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { nodeIo } from "../src/io/store-io.js";
import type { StoreIo } from "../src/io/store-io.js";
import type { RocksDatabase, RocksOptions } from "../src/native/rocksdb.js";

/** A new directory, in memory where there is such a place: what is not synced is taken away by hand here. */
function scratchDirectory(): string {
  const root = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  return mkdtempSync(join(root, "seshat-rocksdb-"));
}

/** What a store did to its files, in order. */
export interface Access {
  readonly call: "open" | "write" | "datasync" | "syncDirectory" | "rename" | "unlink" | "batch";
  /** From the directory of the store on. */
  readonly path: string;
}

/** Names that are not durable yet: how to take them back. */
interface PendingName {
  readonly dir: string;
  /** A segment was removed: that may become durable whatever else does. */
  readonly isAlone?: boolean;
  undo(root: string): void;
}

const isSegment = (path: string): boolean => /\/journal\/segment-\d+$/.test(path);
/** RocksDB syncs its own files, but for its write-ahead log, of which nothing is asked. */
const isRocksdbs = (root: string, path: string): boolean => /^(?:db|lock)\//.test(relative(root, path));
const NEVER = new Promise<never>(() => {});

/**
 * Real files, of which a power failure takes what was not synced: segments of the journal are zeros behind what was synced of them, other files of the
 * store go back to their last synced content, and names that their directory was not synced for are taken back. What RocksDB syncs by itself
 * is as RocksDB left it.
 */
export class TestDisk {
  readonly dir: string;
  readonly io: StoreIo;
  readonly accesses: Access[] = [];
  /** Throw to let an access fail. */
  onAccess: ((access: Access, count: number) => void) | null = null;
  /** Tables that RocksDB was not asked for may be lost with the power. */
  keepsTables = false;
  readonly #trash: string;
  readonly #synced = new Map<string, number | Uint8Array>();
  #pending: PendingName[] = [];
  readonly #databases: RocksDatabase[] = [];
  #flush: () => Promise<void> = async () => {};
  #dead = false;
  #trashed = 0;
  /** A copy of the database when it was last asked to make tables, and had; null when there is none. */
  #tables: string | null = null;

  constructor(dir: string = scratchDirectory()) {
    this.dir = dir;
    this.#trash = mkdtempSync(join(dirname(dir), "seshat-trash-"));
    this.io = this.#makeIo();
  }

  /** Up to which byte a segment of the journal is synced. */
  syncedBytes(path: string): number {
    const synced = this.#synced.get(path);
    return typeof synced === "number" ? synced : 0;
  }

  /**
   * The power fails: nothing that is under way ends, and nothing that is begun.
   *
   * @param torn how much of what is not synced of the journal stays: given its length, its part.
   * @param others what becomes of what is not synced of other files: a process that is killed loses nothing.
   * @param random decides which names are durable all the same, and whether tables are that RocksDB was not asked for: none, and all of them, where
   * it is left out.
   * @returns a disk with what is left.
   */
  crash(
    torn: (length: number) => number = () => 0,
    others: "lost" | "kept" = "lost",
    random: (() => number) | null = null,
  ): TestDisk {
    this.#dead = true;
    const dir = copyOf(this.dir);
    const here = (path: string): string => join(dir, relative(this.dir, path));
    if (others === "lost") {
      const kept = random === null ? 0 : Math.floor(random() * (this.#pending.length + 1));
      for (const [at, name] of [...this.#pending.entries()].toReversed()) {
        if (at >= kept || (name.isAlone === true && (random?.() ?? 1) < 0.5)) name.undo(dir);
      }
    }
    if (random !== null && this.#tables !== null && random() < 0.5) {
      rmSync(join(dir, "db"), { recursive: true });
      cpSync(this.#tables, join(dir, "db"), { recursive: true });
    }
    for (const path of listFiles(dir)) {
      const original = join(this.dir, relative(dir, path));
      if (isSegment(path)) {
        const synced = this.syncedBytes(original);
        const end = writtenBytes(path);
        const kept = end > synced ? synced + torn(end - synced) : end;
        if (kept < end) zeroFrom(path, Math.max(synced, wholeSectors(kept)));
      } else if (others === "lost") {
        const synced = this.#synced.get(original);
        if (synced instanceof Uint8Array) writeFileSync(here(original), synced);
      }
    }
    const next = new TestDisk(dir);
    for (const path of listFiles(dir)) {
      if (isSegment(path)) next.#synced.set(path, writtenBytes(path));
      else if (!isRocksdbs(dir, path)) next.#synced.set(path, readFileSync(path));
    }
    return next;
  }

  /**
   * The process is killed: nothing that is under way ends, and nothing that is begun, but what it wrote stays written. No more of that is synced
   * than was.
   *
   * @returns the same disk, for the next process.
   */
  kill(): TestDisk {
    this.#dead = true;
    const dir = copyOf(this.dir);
    const next = new TestDisk(dir);
    next.#tables = this.#tables;
    for (const [path, synced] of this.#synced) next.#synced.set(join(dir, relative(this.dir, path)), synced);
    for (const path of listFiles(dir)) {
      // RocksDB's own files are as RocksDB left them.
      const isKnown = this.#synced.has(join(this.dir, relative(dir, path)));
      if (!isKnown && isSegment(path)) next.#synced.set(path, 0);
    }
    next.#pending = this.#pending.map((name) => ({
      ...name,
      dir: join(dir, relative(this.dir, name.dir)),
      undo: (root) => name.undo(root),
    }));
    return next;
  }

  /** Ends when RocksDB does nothing in the background, so that a copy of its files is of one moment. */
  async quiet(): Promise<void> {
    const busy = [
      "num-running-flushes",
      "mem-table-flush-pending",
      "num-running-compactions",
      "compaction-pending",
    ];
    for (const database of this.#databases) {
      let found = busy;
      while (found.length > 0) {
        const counts = await Promise.all(
          busy.map(async (name) => {
            // One that is closed does nothing.
            return await database.getProperty(`rocksdb.${name}`);
          }),
        ).catch(() => busy.map(() => "0"));
        found = busy.filter((_, at) => counts[at] !== "0");
      }
    }
  }

  /** RocksDB makes tables, as it does when it likes. Nobody knows whether they are durable. */
  async makeTables(): Promise<void> {
    await this.#flush();
  }

  /** Lets go of what a crash left open. */
  async dispose(): Promise<void> {
    this.#dead = true;
    for (const database of this.#databases.reverse()) {
      // Those that could not be opened cannot be closed either.
      await database.close({ force: true }).catch(() => {});
    }
    rmSync(this.dir, { recursive: true, force: true });
    rmSync(this.#trash, { recursive: true, force: true });
  }

  #makeIo(): StoreIo {
    const access = async <T>(call: Access["call"], path: string, act: () => Promise<T>): Promise<T> => {
      if (this.#dead) return NEVER;
      const found = { call, path: relative(this.dir, path) };
      this.accesses.push(found);
      this.onAccess?.(found, this.accesses.length);
      // The access may have been the one before which the power failed.
      if (this.#isDead()) return NEVER;
      const result = await act();
      return this.#isDead() ? NEVER : result;
    };
    return {
      open: (path, flags) =>
        access("open", path, async () => {
          const fd = await nodeIo.open(path, flags);
          if (flags === "wx+" || flags === "w+") {
            this.#synced.set(path, new Uint8Array(0));
            this.#pending.push({
              dir: dirname(path),
              undo: (root) => rmSync(join(root, relative(this.dir, path)), { force: true }),
            });
          }
          return fd;
        }),
      openDurable: (path) => access("open", path, () => nodeIo.openDurable(path)),
      close: (fd) => nodeIo.close(fd),
      write: (fd, bytes, offset, path) => {
        const copy = bytes.slice();
        return access("write", path, () => nodeIo.write(fd, copy, offset, path));
      },
      writeNow: (fd, bytes, offset, path) =>
        access("write", path, async () => nodeIo.writeNow(fd, bytes, offset, path)),
      writeDurably: async (fd, pieces, offset, path) => {
        const bytes = Buffer.concat(pieces);
        await access("write", path, () => nodeIo.write(fd, bytes, offset, path));
        await this.io.datasync(fd, path);
      },
      read: (fd, bytes, offset) => nodeIo.read(fd, bytes, offset),
      datasync: (fd, path) =>
        access("datasync", path, async () => {
          const state = isSegment(path) ? writtenBytes(path) : readFileSync(path);
          await nodeIo.datasync(fd, path);
          if (!this.#isDead()) this.#synced.set(path, state);
        }),
      syncDirectory: (path) =>
        access("syncDirectory", path, async () => {
          const pending = this.#pending;
          await nodeIo.syncDirectory(path);
          if (this.#isDead()) return;
          this.#pending = this.#pending.filter((name) => name.dir !== path || !pending.includes(name));
        }),
      rename: (from, to) =>
        access("rename", to, async () => {
          // Before it happens: the power may fail when the file has its new name and nobody was told.
          const synced = this.#synced.get(from);
          if (synced !== undefined) this.#synced.set(to, isSegment(to) ? writtenBytes(from) : synced);
          this.#pending.push({
            dir: dirname(to),
            undo: (root) => {
              const [old, now] = [from, to].map((path) => join(root, relative(this.dir, path))) as [
                string,
                string,
              ];
              if (existsSync(now)) renameSync(now, old);
              if (synced instanceof Uint8Array && existsSync(old)) writeFileSync(old, synced);
            },
          });
          await nodeIo.rename(from, to);
          this.#synced.delete(from);
        }),
      unlink: (path) =>
        access("unlink", path, async () => {
          const kept = join(this.#trash, `${this.#trashed++}-${basename(path)}`);
          cpSync(path, kept);
          await nodeIo.unlink(path);
          const synced = this.#synced.get(path);
          this.#pending.push({
            dir: dirname(path),
            isAlone: isSegment(path),
            undo: (root) => {
              const back = join(root, relative(this.dir, path));
              mkdirSync(dirname(back), { recursive: true });
              cpSync(kept, back);
              if (synced instanceof Uint8Array) writeFileSync(back, synced);
            },
          });
        }),
      beforeBatch: () => access("batch", join(this.dir, "db"), async () => {}),
      loadRocksdb: async () => {
        const Rocks = await nodeIo.loadRocksdb();
        const databases = this.#databases;
        const watch = (database: RocksDatabase, path: string): void => {
          const flush = database.flush.bind(database);
          this.#flush = flush;
          // What is asked for is durable when it ends.
          database.flush = async () => {
            await flush();
            await this.#keepTables(path);
          };
        };
        const watched = function watched(path: string, options: RocksOptions): RocksDatabase {
          const database = new Rocks(path, options);
          databases.push(database);
          if (path.endsWith("/db")) watch(database, path);
          return database;
        };
        return watched as unknown as typeof Rocks;
      },
    };
  }

  async #keepTables(path: string): Promise<void> {
    if (this.#dead || !this.keepsTables) return;
    await this.quiet();
    if (this.#isDead()) return;
    this.#tables = copyOf(path, () => join(this.#trash, `tables-${this.#trashed++}`));
  }

  #isDead(): boolean {
    return this.#dead;
  }
}

/** Where the last record of a segment ends, with its padding. */
function writtenBytes(path: string): number {
  const bytes = readFileSync(path);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return Math.ceil(end / 32) * 32;
}

/** A disk writes a sector or does not. */
function wholeSectors(bytes: number): number {
  return bytes - (bytes % 512);
}

function zeroFrom(path: string, from: number): void {
  writeFileSync(path, readFileSync(path).fill(0, from));
}

/** A copy of one moment: RocksDB may be deleting files that it needs no more. */
function copyOf(dir: string, nameOf: () => string = scratchDirectory): string {
  for (;;) {
    const copy = nameOf();
    const before = listFiles(dir);
    try {
      cpSync(dir, copy, { recursive: true });
      if (listFiles(dir).join() === before.join()) return copy;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    }
    rmSync(copy, { recursive: true, force: true });
  }
}

/** All files below a directory. */
function listFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
