import { setImmediate } from "node:timers/promises";
import type { LogId } from "@seshat/common";
import { expect, test } from "vitest";
import { append, openStore, readAll } from "./store-helpers.js";
import type { Entry, Store } from "./store-helpers.js";
import { TestDisk } from "./test-disk.js";
import { SlowSyncs, cut, cutOff, randomOf, seeds } from "./torn-disk.js";

const LIVES = 4;

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
async function live(
  store: Store,
  disk: TestDisk,
  syncs: SlowSyncs,
  told: Told,
  random: () => number,
): Promise<() => void> {
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
    } else if (dice < 0.25) {
      await disk.makeTables();
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

test.each(seeds(12))(
  "lives that end by power cuts that tear pages, or by kill -9: nothing acknowledged is gone (seed %i)",
  async (seed) => {
    const random = randomOf(seed);
    const writeBufferBytes = random() < 0.6 ? 65_536 : 1_048_576;
    const made = (writeBufferBytes * 3) / 4;
    let disk = new TestDisk();
    disk.keepsTables = true;
    const disks = [disk];
    const told: Told = { log: [], durable: 0, purged: 0, term: 1, voted: 0 };
    for (let life = 1; life <= LIVES; life++) {
      while (random() < 0.3) {
        disk = await cutOff(disk, (io) => openStore(disk.dir, { writeBufferBytes }, io), made, random);
        disks.push(disk);
      }
      const syncs = new SlowSyncs(disk);
      const store = await syncs.passing(openStore(disk.dir, { writeBufferBytes }, syncs.io));
      await check(store, told);
      const end = await live(store, disk, syncs, told, random);
      while ((await store.metrics()).queuedBytes > 0) await setImmediate();
      await disk.quiet();
      end();
      disk = cut(disk, made, random);
      disks.push(disk);
    }
    const store = await openStore(disk.dir, { writeBufferBytes }, disk.io);
    await check(store, told);
    await store.close();
    for (const each of new Set(disks)) await each.dispose();
  },
);
