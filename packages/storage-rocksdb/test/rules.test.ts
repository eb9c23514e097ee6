import { cpSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createMembership } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { StoreIo } from "../src/io/store-io.js";
import { nodeIo } from "../src/io/store-io.js";
import { readMarker } from "../src/wal/marker-file.js";
import type { WalBatch } from "../src/wal/wal-records.js";
import { readBatches } from "../src/wal/wal-records.js";
import { append, entry, flip, openStore, readAll, wals } from "./store-helpers.js";
import type { Entry, Store } from "./store-helpers.js";
import type { Access } from "./test-disk.js";
import { TestDisk } from "./test-disk.js";

const open = (disk: TestDisk): Promise<Store> => openStore(disk.dir, {}, disk.io);
const MARKER = "seshat.store";
const pause = async (): Promise<void> => {};

/** Ends at the next access of this kind. */
function next(disk: TestDisk, call: Access["call"], path: string): Promise<void> {
  return new Promise((resolve) => {
    disk.onAccess = (access) => {
      if (access.call !== call || access.path !== path) return;
      disk.onAccess = null;
      resolve();
    };
  });
}

describe("a store that is closed", () => {
  test("answers nothing any more, and says why", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    await append(store, entry(1));
    await store.close();
    for (const call of [
      () => store.storage.readLogState(),
      () => store.storage.readVote(),
      () => store.storage.readEntries(1, 1),
      () => store.storage.append([entry(2)], () => {}),
      () => store.storage.saveVote({ term: 1, votedFor: 1, committed: true }),
      () => store.stateMachine.readAppliedState(),
    ]) {
      await expect(async () => call()).rejects.toThrow("the store is closed");
    }
    await store.close();
    await disk.dispose();
  });
});

describe("memberships", () => {
  const membership = createMembership([[1]], [[1, { addr: "a:1" }]]);
  const change = (index: number): Entry => ({
    logId: { term: 1, index },
    payload: { type: "membership", membership },
  });

  test("are found however much of the log is between them, and before they are written", async () => {
    const disk = new TestDisk();
    const store = await openStore(disk.dir, { writeBufferBytes: 16_777_216 }, disk.io);
    await append(store, change(1));
    // More than one read gives.
    for (let index = 2; index <= 12; index++) await append(store, entry(index, 1_000_000));
    const durable = append(store, change(13));
    const found = [1, 13].map((index) => ({ logId: { term: 1, index }, membership }));
    expect(await store.storage.readMemberships?.(1, 13)).toEqual(found);
    await durable;
    await store.close();
    await disk.dispose();
  });
});

describe("the lane", () => {
  test("keeps the order of writes that share a batch: the last of two hints counts", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    await append(store, entry(1), entry(2));
    void store.storage.saveCommitted?.({ term: 1, index: 1 });
    void store.storage.saveCommitted?.({ term: 1, index: 2 });
    await store.close();
    const again = await open(disk);
    expect(await again.storage.readCommitted?.()).toEqual({ term: 1, index: 2 });
    await again.close();
    await disk.dispose();
  });

  test("makes whoever appends wait once 32 MiB are queued, and forgets what it has written", async () => {
    const disk = new TestDisk();
    const store = await openStore(disk.dir, { writeBufferBytes: 134_217_728 }, disk.io);
    const acknowledged: Promise<void>[] = [];
    let waits = 0;
    for (let index = 1; index <= 40; index++) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const done = store.storage.append([entry(index, 1_048_576)], (error) =>
        error === null ? resolve() : reject(error),
      );
      acknowledged.push(promise);
      if (done === undefined) continue;
      waits += 1;
      expect((await store.metrics()).queuedBytes).toBeGreaterThan(33_554_432);
      await done;
    }
    expect(waits).toBeGreaterThan(0);
    await Promise.all(acknowledged);
    expect((await store.metrics()).queuedBytes).toBe(0);
    expect((await readAll(store)).length).toBe(40);
    await store.close();
    await disk.dispose();
  });

  test("makes all appends of a turn one batch and one record", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    const { batches } = await store.metrics();
    await Promise.all(Array.from({ length: 100 }, (_, at) => append(store, entry(at + 1, 20))));
    expect((await store.metrics()).batches - batches).toBeLessThanOrEqual(2);
    expect(await readAll(store)).toEqual(Array.from({ length: 100 }, (_, at) => entry(at + 1, 20)));
    await store.close();
    await disk.dispose();
  });
});

describe("a clean close", () => {
  test("makes everything durable, also what nobody waited for", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    await append(store, entry(1));
    void store.storage.saveCommitted?.({ term: 1, index: 1 });
    await store.close();
    const [wal] = wals(disk.dir) as [string];
    expect(disk.syncedBytes(wal)).toBe(statSync(wal).size);
    expect((await readMarker(join(disk.dir, MARKER)))?.extent.size).toBe(statSync(wal).size);
    // The marker says so after a power failure too.
    const left = disk.crash();
    expect((await readMarker(join(left.dir, MARKER)))?.extent.size).toBe(statSync(wal).size);
    for (const each of [disk, left]) await each.dispose();
  });
});

describe("the marker", () => {
  test("is synced by itself soon after the last write", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    await append(store, entry(1));
    await expect(next(disk, "datasync", MARKER)).resolves.toBeUndefined();
    await store.close();
    await disk.dispose();
  });

  test("that cannot be synced poisons the store", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    const failed = new Promise<void>((resolve) => {
      disk.onAccess = ({ call, path }) => {
        if (call !== "datasync" || path !== MARKER) return;
        setImmediate(resolve);
        throw new Error("the marker is on fire");
      };
    });
    await append(store, entry(1));
    await failed;
    disk.onAccess = null;
    await expect(append(store, entry(2))).rejects.toThrow("the marker is on fire");
    await store.close();
    await disk.dispose();
  });

  test("has the extent of the last acknowledgement, and beside it the one before", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    for (let index = 1; index <= 5; index++) await append(store, entry(index));
    const path = join(disk.dir, MARKER);
    const last = (await readMarker(path))?.extent.batches as number;
    const bytes = readFileSync(path);
    const found: (number | undefined)[] = [];
    for (const slot of [512, 1024]) {
      const damaged = `${path}.damaged`;
      writeFileSync(damaged, bytes);
      flip(damaged, slot + 3);
      found.push((await readMarker(damaged))?.extent.batches);
      rmSync(damaged);
    }
    expect(new Set(found)).toEqual(new Set([last, last - 1]));
    await store.close();
    await disk.dispose();
  });

  test("says more than the database holds: an older copy of it was put back, and the store does not open", async () => {
    const disk = new TestDisk();
    const first = await open(disk);
    await append(first, entry(1));
    await first.close();
    const copy = `${disk.dir}-copy`;
    cpSync(join(disk.dir, "db"), copy, { recursive: true });
    const second = await open(disk);
    // So many that the WAL file of the copy is not there any more.
    for (let index = 2; index <= 40; index++) await append(second, entry(index, 9000));
    await second.close();
    rmSync(join(disk.dir, "db"), { recursive: true });
    cpSync(copy, join(disk.dir, "db"), { recursive: true });
    rmSync(copy, { recursive: true });
    const refused = { reason: "damaged", path: join(disk.dir, "db") };
    await expect(open(disk)).rejects.toMatchObject(refused);
    await expect(open(disk)).rejects.toThrow(/batches were synced, but it holds/);
    await disk.dispose();
  });
});

describe("what a power failure left", () => {
  test("in several WAL files: the later ones go first, the cut comes last, and all of it is durable", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    for (let index = 1; index <= 12; index++) await append(store, entry(index, 9000));
    // Everything that was written is there; nothing says that it was synced.
    const left = disk.crash((length) => length);
    const [first] = wals(left.dir) as [string];
    const name = (number: number): string =>
      join(left.dir, "db", `${String(Number(/(\d+)\.log$/.exec(first)?.[1]) + number).padStart(6, "0")}.log`);
    for (const path of wals(left.dir).slice(1)) rmSync(path);
    const whole = readFileSync(first);
    // The end of the first file never came, and two more were begun.
    writeFileSync(first, Buffer.concat([whole, Buffer.alloc(3000)]));
    for (const number of [100, 101]) writeFileSync(name(number), whole.subarray(0, 5000));
    const { accesses } = left;
    const from = accesses.length;
    // Whether the rest of it can be opened is not the question here.
    await open(left).then(
      (opened) => opened.close(),
      () => {},
    );
    const cuts = accesses
      .slice(from)
      .filter(
        ({ call, path }) =>
          call === "unlink" || call === "truncate" || (call === "datasync" && path.endsWith(".log")),
      )
      .map(({ call, path }) => `${call} ${join(left.dir, path)}`);
    expect(cuts.slice(0, 4)).toEqual([
      `unlink ${name(101)}`,
      `unlink ${name(100)}`,
      `truncate ${first}`,
      `datasync ${first}`,
    ]);
    for (const each of [disk, left]) await each.dispose();
  });
});

describe("batches that were never synced, of which a later one came to the disk and an earlier one did not", () => {
  /** Ends when the entry is written; what becomes of it then does not matter. */
  async function write(store: Store, late: Entry): Promise<void> {
    append(store, late).catch(() => {});
    while ((await store.metrics()).queuedBytes > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * The power fails when entries 1 to 6 are durable, and 7 and 8 written, each in a batch of its own. The last batch says that 6 was synced, and the
   * marker, which was not synced since then, does not.
   */
  async function written(disk: TestDisk): Promise<TestDisk> {
    const store = await openStore(disk.dir, { writeBufferBytes: 1_048_576 }, disk.io);
    for (let index = 1; index <= 5; index++) await append(store, entry(index));
    const sync = disk.io.datasync.bind(disk.io);
    const syncs: (() => void)[] = [];
    const waiting = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    disk.io.datasync = async (fd, path) => {
      // That of the marker never ends.
      await new Promise<void>((resolve) => {
        if (!path.endsWith(".log")) return;
        syncs.push(resolve);
        waiting[syncs.length - 1]?.resolve();
      });
      await sync(fd, path);
    };
    const isDurable = append(store, entry(6));
    await waiting[0]?.promise;
    await write(store, entry(7, 40_000));
    syncs[0]?.();
    await isDurable;
    await waiting[1]?.promise;
    await write(store, entry(8));
    return disk.crash((length) => length);
  }

  test("they are cut off, and the store opens: what a batch says of itself it says no more when it is gone", async () => {
    const disk = new TestDisk();
    const left = await written(disk);
    const [path] = wals(left.dir) as [string];
    const bytes = readFileSync(path);
    const [seventh, eighth] = [...readBatches(bytes)].slice(-2) as [WalBatch, WalBatch];
    expect(eighth.extent?.size).toBe(seventh.start);
    const page = Math.ceil(seventh.start / 4096) * 4096;
    writeFileSync(path, bytes.fill(0, page, page + 4096));
    const store = await open(left);
    expect((await store.metrics()).cutBytes).toBe(bytes.length - seventh.start);
    expect(await readAll(store)).toEqual([1, 2, 3, 4, 5, 6].map((index) => entry(index)));
    await store.close();
    for (const each of [disk, left]) await each.dispose();
  });

  test("in a file of its own: the same", async () => {
    const disk = new TestDisk();
    const left = await written(disk);
    const [path] = wals(left.dir) as [string];
    const bytes = readFileSync(path);
    const [seventh, eighth] = [...readBatches(bytes)].slice(-2) as [WalBatch, WalBatch];
    // As RocksDB had begun another file for it.
    const later = path.replace(/\d{6}(?=\.log$)/, (index) => String(Number(index) + 1).padStart(6, "0"));
    writeFileSync(path, bytes.subarray(0, seventh.end - 1000));
    writeFileSync(later, bytes.subarray(eighth.start));
    const store = await open(left);
    expect(await readAll(store)).toEqual([1, 2, 3, 4, 5, 6].map((number) => entry(number)));
    await store.close();
    for (const each of [disk, left]) await each.dispose();
  });
});

describe("damage that looks torn, after a power failure that took the marker", () => {
  test("a sector of zeros before batches that say it was synced: the store does not open", async () => {
    const disk = new TestDisk();
    const store = await openStore(disk.dir, { writeBufferBytes: 1_048_576 }, disk.io);
    for (let index = 1; index <= 50; index++) await append(store, entry(index, 2000));
    const left = disk.crash();
    const [path] = wals(left.dir) as [string];
    const bytes = readFileSync(path);
    expect(bytes.length).toBeGreaterThan(65_536);
    bytes.fill(0, 10_240, 10_752);
    writeFileSync(path, bytes);
    await expect(open(left)).rejects.toMatchObject({ reason: "damaged", path });
    for (const each of [disk, left]) await each.dispose();
  });

  test("a batch that is gone without a trace: the store does not open", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    for (let index = 1; index <= 10; index++) await append(store, entry(index));
    const left = disk.crash();
    const [path] = wals(left.dir) as [string];
    const bytes = readFileSync(path);
    const { start, end } = [...readBatches(bytes)][4] as { start: number; end: number };
    writeFileSync(path, Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]));
    await expect(open(left)).rejects.toMatchObject({ reason: "damaged", path });
    for (const each of [disk, left]) await each.dispose();
  });
});

/** Ends when V8 has found what is garbage now, and told those who asked. */
async function finalizersRan(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  let isDone = false;
  const done = new FinalizationRegistry(() => (isDone = true));
  done.register({}, null);
  for (let turn = 0; turn < 2 || !isDone; turn++) {
    await nextTurn();
    collectGarbage();
    await nextTurn();
  }
}

/** A store that was closed, and the file of its snapshot. */
async function storeWithSnapshot(): Promise<{ readonly disk: TestDisk; readonly path: string }> {
  const disk = new TestDisk();
  const store = await open(disk);
  await append(store, entry(1), entry(2));
  store.stateMachine.apply(await store.storage.readEntries(1, 2));
  await store.stateMachine.snapshotBuilder().buildSnapshot(pause);
  await store.close();
  const dir = join(disk.dir, "snapshots");
  const [name] = readdirSync(dir) as [string];
  const path = join(dir, name);
  return { disk, path };
}

describe("the file of a snapshot", () => {
  test("with any one byte changed: the store does not open, and names it", async () => {
    const { disk, path } = await storeWithSnapshot();
    const bytes = readFileSync(path);
    // The parts of the header, the meta, the content.
    for (const at of [0, 4, 6, 12, 18, 22, 26, 30, 40, bytes.length - 20, bytes.length - 1]) {
      flip(path, at);
      await expect(open(disk), `byte ${at}`).rejects.toMatchObject({ reason: "damaged", path });
      writeFileSync(path, bytes);
    }
    writeFileSync(path, bytes.subarray(0, -1));
    await expect(open(disk)).rejects.toMatchObject({ reason: "damaged", path });
    writeFileSync(path, bytes);
    await (await open(disk)).close();
    await disk.dispose();
  });

  test("that is damaged is closed once: its number may be another file's by the time its content is garbage", async () => {
    const { disk, path } = await storeWithSnapshot();
    const bytes = readFileSync(path);
    flip(path, bytes.length - 1);
    const counts = { opened: 0, closed: 0 };
    const io: StoreIo = {
      ...nodeIo,
      open: async (opened, flags) => {
        counts.opened += 1;
        return await nodeIo.open(opened, flags);
      },
      close: async (fd) => {
        counts.closed += 1;
        await nodeIo.close(fd);
      },
    };
    await expect(openStore(disk.dir, {}, io)).rejects.toMatchObject({ reason: "damaged", path });
    await finalizersRan();
    expect(counts.closed).toBe(counts.opened);
    await disk.dispose();
  });

  test("that is closed while it is read: the read ends first, so that it never reads another file of the same number", async () => {
    const disk = new TestDisk();
    const order: string[] = [];
    let hold: Promise<void> | null = null;
    const io: StoreIo = {
      ...nodeIo,
      read: async (fd, bytes, offset) => {
        await hold;
        const length = await nodeIo.read(fd, bytes, offset);
        if (hold !== null) order.push(`read ${fd}`);
        return length;
      },
      close: async (fd) => {
        order.push(`close ${fd}`);
        await nodeIo.close(fd);
      },
    };
    const store = await openStore(disk.dir, {}, io);
    await append(store, entry(1), entry(2));
    store.stateMachine.apply(await store.storage.readEntries(1, 2));
    await store.stateMachine.snapshotBuilder().buildSnapshot(pause);
    const { data } = store.stateMachine.readCurrentSnapshot() ?? expect.unreachable();
    const held = Promise.withResolvers<void>();
    order.length = 0;
    hold = held.promise;
    const reading = data.read(0)[Symbol.asyncIterator]().next();
    const closing = store.close();
    await nextTurn();
    held.resolve();
    await expect(reading).resolves.toMatchObject({ done: false });
    await closing;
    const [first = "", second = ""] = order;
    expect(second).toBe(first.replace("read", "close"));
    await expect(data.read(0)[Symbol.asyncIterator]().next()).rejects.toThrow("the store is closed");
    await disk.dispose();
  });

  test("that was not finished, or is an older one, goes at the next start", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    await append(store, entry(1));
    store.stateMachine.apply(await store.storage.readEntries(1, 1));
    await store.stateMachine.snapshotBuilder().buildSnapshot(pause);
    await store.close();
    const dir = join(disk.dir, "snapshots");
    const [current] = readdirSync(dir) as [string];
    const older = current.replace(/-\d{16}-/, `-${"0".repeat(16)}-`);
    for (const name of ["unfinished-1", older]) cpSync(join(dir, current), join(dir, name));
    const again = await open(disk);
    expect(readdirSync(dir)).toEqual([current]);
    // Its name is free again.
    await again.stateMachine.snapshotBuilder().buildSnapshot(pause);
    await again.close();
    expect(existsSync(join(dir, "unfinished-1"))).toBe(false);
    await disk.dispose();
  });
});
