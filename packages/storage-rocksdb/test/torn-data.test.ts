import { setImmediate } from "node:timers/promises";
import type { BytesTypeConfig, Snapshot, SnapshotMeta } from "@seshat/common";
import { KeyValueStateMachine, OpenRaftStateMachine, encodeOperation } from "@seshat/storage";
import { expect, test } from "vitest";
import type { StoreIo } from "../src/io/store-io.js";
import type { RocksdbKeyValueStateMachine } from "../src/machine/rocksdb-key-value-state-machine.js";
import { openKeyValueStore } from "../src/open-storage.js";
import type { RocksdbStorage } from "../src/opening/open-store.js";
import { readAll } from "./store-helpers.js";
import type { Entry, Store } from "./store-helpers.js";
import { TestDisk } from "./test-disk.js";
import { SlowSyncs, cut, cutOff, randomOf, seeds } from "./torn-disk.js";

type DataStore = RocksdbStorage<BytesTypeConfig, RocksdbKeyValueStateMachine>;

const LIVES = 4;
const KEYS = 50;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const pause = async (): Promise<void> => {};
const keyOf = (index: number): Uint8Array => utf8(`k${(index * 7) % KEYS}`);
/** Every ninth entry deletes. */
const isDelete = (index: number): boolean => index % 9 === 0;
const valueOf = (index: number): Uint8Array =>
  new Uint8Array(1 + ((index * 7919) % 9000)).fill(1 + (index % 250));

/** The entry at an index: the same in all lives. */
function entryAt(index: number): Entry {
  const key = keyOf(index);
  const data = isDelete(index)
    ? encodeOperation({ type: "del", keys: [key] })
    : encodeOperation({ type: "set", key, value: valueOf(index) });
  return { logId: { term: 1, index }, payload: { type: "normal", data: { data } } };
}

function entries(since: number, upto: number): Entry[] {
  return Array.from({ length: upto - since + 1 }, (_, at) => entryAt(since + at));
}

/** A snapshot of what the entries up to `index` make. */
async function snapshotAt(index: number): Promise<Snapshot> {
  const machine = new OpenRaftStateMachine(new KeyValueStateMachine());
  machine.apply(entries(1, index));
  return machine.snapshotBuilder().buildSnapshot(pause);
}

/** What a store was told, and what of it ended. */
interface Told {
  /** The last index that was appended or installed. */
  end: number;
  durable: number;
  purged: number;
  applied: number;
  /** The data had come so far for good. */
  installed: number;
}

/** Nothing that was promised is gone, and the data are those of some entry. Then `told` is what the store holds. */
async function check({ storage, stateMachine }: DataStore, told: Told): Promise<void> {
  const { lastLogId, lastPurgedLogId } = await storage.readLogState();
  const applied = stateMachine.readAppliedState().lastAppliedLogId.index;
  const snapshot = stateMachine.readCurrentSnapshot()?.meta.lastLogId.index ?? 0;
  expect(lastLogId.index).toBeGreaterThanOrEqual(told.durable);
  expect(lastPurgedLogId.index).toBeGreaterThanOrEqual(told.purged);
  expect(applied).toBeGreaterThanOrEqual(told.installed);
  expect(snapshot).toBeGreaterThanOrEqual(lastPurgedLogId.index);
  // Or it comes from the snapshot that was being installed.
  expect(applied).toBeLessThanOrEqual(Math.max(lastLogId.index, snapshot));
  expect(applied).toBeGreaterThanOrEqual(Math.min(lastPurgedLogId.index, snapshot));
  expect(await readAll({ storage } as Store)).toEqual(entries(lastPurgedLogId.index + 1, lastLogId.index));
  const last = new Map<string, number>();
  for (let index = 1; index <= applied; index++) last.set(String(keyOf(index)), index);
  for (let at = 0; at < KEYS; at++) {
    const index = last.get(String(keyOf(at)));
    const value = index === undefined || isDelete(index) ? null : valueOf(index);
    expect(await stateMachine.get(keyOf(at)), `key ${at}, applied ${applied}`).toEqual(value);
  }
  told.end = lastLogId.index;
  told.durable = lastLogId.index;
  told.purged = lastPurgedLogId.index;
  told.applied = applied;
  told.installed = applied;
}

/** Takes a snapshot in, and then the log begins behind it, as a node does it. */
async function install({ storage, stateMachine }: DataStore, told: Told, snapshot: Snapshot): Promise<void> {
  const { lastLogId } = snapshot.meta;
  await stateMachine.installSnapshot(snapshot, pause);
  told.installed = Math.max(told.installed, lastLogId.index);
  told.applied = lastLogId.index;
  await storage.purge(lastLogId);
  told.purged = lastLogId.index;
  told.end = Math.max(told.end, lastLogId.index);
  told.durable = Math.max(told.durable, lastLogId.index);
}

async function received(store: DataStore, snapshot: Snapshot): Promise<Snapshot> {
  const meta: SnapshotMeta = snapshot.meta;
  const sink = await store.stateMachine.receiveSnapshot(meta, snapshot.data.size);
  for await (const chunk of snapshot.data.read(0)) await sink.write(chunk);
  return { meta, data: await sink.finish() };
}

/** Appends, applies, builds and installs snapshots, and purges, while syncs end now and then. */
async function live(
  store: DataStore,
  disk: TestDisk,
  syncs: SlowSyncs,
  told: Told,
  random: () => number,
): Promise<void> {
  const { storage, stateMachine } = store;
  const upTo = (most: number): number => Math.floor(random() * most);
  const current = stateMachine.readCurrentSnapshot();
  if (current !== null && current.meta.lastLogId.index > Math.max(told.applied, told.purged)) {
    await syncs.passing(install(store, told, current));
  }
  const pace = random() * 0.5;
  for (let acts = 10 + upTo(30); acts > 0; acts--) {
    const dice = random();
    if (dice < 0.25 && told.applied < told.end) {
      const upto = Math.min(told.end, told.applied + 1 + upTo(20));
      await stateMachine.apply(entries(told.applied + 1, upto));
      told.applied = upto;
    } else if (dice < 0.32 && told.applied > 0) {
      await syncs.passing(stateMachine.snapshotBuilder().buildSnapshot(pause));
    } else if (dice < 0.39) {
      const upto = stateMachine.readCurrentSnapshot()?.meta.lastLogId;
      if (upto === undefined || upto.index <= told.purged || upto.index > told.end) continue;
      await syncs.passing(storage.purge(upto));
      told.purged = upto.index;
    } else if (dice < 0.46) {
      const snapshot = await received(store, await snapshotAt(told.applied + 1 + upTo(40)));
      const installing = install(store, told, snapshot);
      if (random() < 0.6) {
        await syncs.passing(installing);
        continue;
      }
      // The life ends somewhere in it.
      void installing;
      for (let turns = upTo(60); turns > 0; turns--) {
        if (random() < pace) syncs.release();
        await setImmediate();
      }
      return;
    } else if (dice < 0.52) {
      await disk.makeTables();
    } else {
      const some = entries(told.end + 1, told.end + 1 + upTo(5));
      told.end += some.length;
      const { end } = told;
      void storage.append(some, (error) => {
        if (error === null) told.durable = Math.max(told.durable, end);
      });
    }
    if (random() < pace) syncs.release();
    for (let turns = upTo(12); turns > 0; turns--) await setImmediate();
  }
}

test.each(seeds(8))(
  "lives of a store with its data on disk that end by power cuts or kill -9: the data are those of the entry that it says (seed %i)",
  async (seed) => {
    const random = randomOf(seed);
    const writeBufferBytes = random() < 0.6 ? 65_536 : 1_048_576;
    const made = (writeBufferBytes * 3) / 4;
    const open = (dir: string, io: StoreIo): Promise<DataStore> =>
      openKeyValueStore(dir, { writeBufferBytes }, io);
    let disk = new TestDisk();
    disk.keepsTables = true;
    const disks = [disk];
    let told: Told = { end: 0, durable: 0, purged: 0, applied: 0, installed: 0 };
    for (let life = 1; life <= LIVES; life++) {
      while (random() < 0.3) {
        disk = await cutOff(disk, (io) => open(disk.dir, io), made, random);
        disks.push(disk);
      }
      const syncs = new SlowSyncs(disk);
      const store = await syncs.passing(open(disk.dir, syncs.io));
      // Whatever still ends of an earlier life is of no account.
      told = { ...told };
      await check(store, told);
      await live(store, disk, syncs, told, random);
      while ((await store.metrics()).queuedBytes > 0) await setImmediate();
      await disk.quiet();
      disk = cut(disk, made, random);
      disks.push(disk);
    }
    const store = await open(disk.dir, disk.io);
    await check(store, told);
    await store.close();
    for (const each of new Set(disks)) await each.dispose();
  },
);
