import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { StoreIo } from "../src/io/store-io.js";
import { segments } from "./store-helpers.js";
import { TestDisk } from "./test-disk.js";

const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;

/** Numbers from 0 to 1, decided by a seed (xorshift). */
export function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0 || 1;
  return () => {
    state = (state ^ (state << 13)) >>> 0;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
}

/** Lets the writes to the journal end when the test says so: by then they are in the file, and perhaps not on the disk. */
export class SlowSyncs {
  readonly io: StoreIo;
  readonly #waiting: (() => void)[] = [];
  #held = true;

  constructor(disk: TestDisk) {
    const datasync = disk.io.datasync.bind(disk.io);
    disk.io.datasync = async (fd, path) => {
      if (this.#held && path.includes("segment-"))
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      await datasync(fd, path);
    };
    this.io = disk.io;
  }

  /** Lets those pass that have begun. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Lets all pass until `until` has ended. */
  async passing<T>(until: Promise<T> | T): Promise<T> {
    this.#held = false;
    this.release();
    const result = await until;
    this.#held = true;
    return result;
  }
}

/**
 * Of what was not durable of the journal, any sector may be missing, and all behind any place; and so may what a segment had grown by.
 *
 * @param made how long segments are made.
 */
function tear(disk: TestDisk, left: TestDisk, made: number, random: () => number): void {
  // It may not have come so far.
  if (!existsSync(join(left.dir, "journal"))) return;
  for (const path of segments(left.dir)) {
    const synced = disk.syncedBytes(join(disk.dir, relative(left.dir, path)));
    let bytes = readFileSync(path);
    const piece = random() < 0.5 ? SECTOR_BYTES : PAGE_BYTES;
    const kept = random();
    const end = random() < 0.35 ? synced + Math.floor(random() * (bytes.length - synced)) : bytes.length;
    for (let from = synced - (synced % piece); from < bytes.length; from += piece) {
      const isKept = random() < kept && from + piece <= end;
      if (!isKept) bytes.fill(0, Math.max(from, synced), Math.min(from + piece, bytes.length));
    }
    if (bytes.length > made && random() < 0.5) bytes = bytes.subarray(0, Math.max(synced, made, end));
    writeFileSync(path, bytes);
  }
}

/**
 * The process is killed, or the power fails, and whatever was not durable may be gone, or not.
 *
 * @param made how long segments are made.
 */
export function cut(disk: TestDisk, made: number, random: () => number): TestDisk {
  const isKilled = random() < 0.4;
  const left = isKilled ? disk.kill() : disk.crash((length) => length, "lost", random);
  if (!isKilled) tear(disk, left, made, random);
  left.keepsTables = true;
  return left;
}

/**
 * Starts a store that is cut off on its way.
 *
 * @returns what is left.
 */
export async function cutOff(
  disk: TestDisk,
  start: (io: StoreIo) => Promise<{ close(): Promise<void> }>,
  made: number,
  random: () => number,
): Promise<TestDisk> {
  const { promise: left, resolve } = Promise.withResolvers<TestDisk>();
  const at = disk.accesses.length + 1 + Math.floor(random() * 20);
  disk.onAccess = (_, count) => {
    if (count === at) resolve(cut(disk, made, random));
  };
  const first = await Promise.race([left, start(disk.io)]);
  disk.onAccess = null;
  if (first instanceof TestDisk) return first;
  await first.close();
  return disk;
}

/** What the threads of RocksDB are doing at that moment is not the seed's. `SESHAT_TORN_PAGES_SEEDS=1-300` makes a longer run. */
export function seeds(usual: number): number[] {
  const [first, last] = process.env["SESHAT_TORN_PAGES_SEEDS"]?.split("-").map(Number) ?? [1, usual];
  return Array.from({ length: (last as number) - (first as number) + 1 }, (_, at) => (first as number) + at);
}
