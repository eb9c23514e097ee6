import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { LogId } from "@seshat/common";
import { expect, test } from "vitest";
import type { StoreIo } from "../src/io/store-io.js";
import { append, openStore, readAll, segments } from "./store-helpers.js";
import type { Entry, Store } from "./store-helpers.js";
import { TestDisk } from "./test-disk.js";

const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;
const LIVES = 4;

/** Numbers from 0 to 1, decided by a seed (xorshift). */
function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0 || 1;
  return () => {
    state = (state ^ (state << 13)) >>> 0;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
}

/** Lets the writes to the journal end when the test says so: by then they are in the file, and perhaps not on the disk. */
class SlowSyncs {
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

/** What a store was told, and what of it was acknowledged. */
interface Told {
  /** Entry `index` at `index - 1`. */
  log: Entry[];
  /** The last index that is durable. */
  durable: number;
  purged: number;
  term: number;
  /** The last term whose vote is durable. */
  voted: number;
}

/** Entries whose content tells their id. */
function makeEntry(term: number, index: number, bytes: number): Entry {
  const data = new Uint8Array(bytes).fill(1 + ((index * 7 + term * 13) % 250));
  return { logId: { term, index }, payload: { type: "normal", data: { data } } };
}

/** Nothing that was acknowledged is gone. Then `told` is what the store holds. */
async function check(store: Store, told: Told): Promise<void> {
  const { lastLogId, lastPurgedLogId } = await store.storage.readLogState();
  const found = await readAll(store);
  const vote = await store.storage.readVote();
  expect(lastLogId.index).toBeGreaterThanOrEqual(told.durable);
  expect(lastPurgedLogId.index).toBeGreaterThanOrEqual(told.purged);
  expect(vote?.term ?? 0).toBeGreaterThanOrEqual(told.voted);
  expect(found.map(({ logId }) => logId.index)).toEqual(found.map((_, at) => lastPurgedLogId.index + 1 + at));
  const known = found.filter(({ logId }) => logId.index <= told.durable);
  expect(known).toEqual(told.log.slice(lastPurgedLogId.index, told.durable));
  told.log = told.log.slice(0, lastPurgedLogId.index).concat(found);
  told.durable = lastLogId.index;
  told.purged = lastPurgedLogId.index;
  told.voted = vote?.term ?? 0;
}

/** Appends, votes, truncates and purges, while syncs end now and then. */
async function live(store: Store, syncs: SlowSyncs, told: Told, random: () => number): Promise<() => void> {
  let over = false;
  const upTo = (most: number): number => Math.floor(random() * most);
  const acts = 15 + upTo(40);
  // How much is under way at the end.
  const pace = random() * 0.5;
  for (let act = 0; act < acts; act++) {
    const dice = random();
    const kept = told.log.length - told.purged;
    if (dice < 0.08) {
      told.term += 1;
      const { term } = told;
      const saved = Promise.resolve(store.storage.saveVote({ term, votedFor: 1, committed: false }));
      void saved.then(() => {
        if (!over) told.voted = term;
      });
      if (random() < 0.5) await syncs.passing(saved);
    } else if (dice < 0.16 && kept > 8) {
      const since = told.log.length - upTo(6);
      // Until it is durable, both may be found.
      told.durable = Math.min(told.durable, since - 1);
      await syncs.passing(store.storage.truncate(since));
      told.durable = Math.min(told.durable, since - 1);
      told.log = told.log.slice(0, since - 1);
      told.term += 1;
    } else if (dice < 0.2 && kept > 12) {
      const upto: LogId = (told.log[told.log.length - 4 - upTo(5)] as Entry).logId;
      await syncs.passing(store.storage.purge(upto));
      told.purged = upto.index;
    } else {
      const bytes = upTo(random() < 0.3 ? 40_000 : 2000);
      const entries = Array.from({ length: 1 + upTo(4) }, (_, at) =>
        makeEntry(told.term, told.log.length + 1 + at, bytes),
      );
      told.log.push(...entries);
      const { log } = told;
      const end = log.length;
      void append(store, ...entries).then(() => {
        // What was truncated meanwhile is not to be found.
        if (!over && told.log === log) told.durable = Math.max(told.durable, end);
      });
    }
    if (random() < pace) syncs.release();
    for (let turns = upTo(12); turns > 0; turns--) await setImmediate();
  }
  return () => (over = true);
}

/**
 * Of what was not durable of the journal, any sector may be missing, and all behind any place; and so may what a segment had grown by.
 *
 * @param made how long segments are made.
 */
function tear(disk: TestDisk, left: TestDisk, made: number, random: () => number): void {
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

/** What the threads of RocksDB are doing at that moment is not the seed's. `SESHAT_TORN_PAGES_SEEDS=1-300` makes a longer run. */
const SEEDS = process.env["SESHAT_TORN_PAGES_SEEDS"]?.split("-").map(Number) ?? [1, 12];
const [FIRST, LAST] = SEEDS as [number, number];

test.each(Array.from({ length: LAST - FIRST + 1 }, (_, at) => FIRST + at))(
  "lives that end by power cuts that tear pages, or by kill -9: nothing acknowledged is gone (seed %i)",
  async (seed) => {
    const random = randomOf(seed);
    const writeBufferBytes = random() < 0.6 ? 65_536 : 1_048_576;
    let disk = new TestDisk();
    const disks = [disk];
    const told: Told = { log: [], durable: 0, purged: 0, term: 1, voted: 0 };
    for (let life = 1; life <= LIVES; life++) {
      const syncs = new SlowSyncs(disk);
      const store = await syncs.passing(openStore(disk.dir, { writeBufferBytes }, syncs.io));
      await check(store, told);
      const end = await live(store, syncs, told, random);
      while ((await store.metrics()).queuedBytes > 0) await setImmediate();
      await disk.quiet();
      end();
      const isKilled = random() < 0.4;
      const left: TestDisk = isKilled ? disk.kill() : disk.crash((length) => length);
      if (!isKilled) tear(disk, left, (writeBufferBytes * 3) / 4, random);
      disk = left;
      disks.push(disk);
    }
    const store = await openStore(disk.dir, { writeBufferBytes }, disk.io);
    await check(store, told);
    await store.close();
    for (const each of disks) await each.dispose();
  },
);
