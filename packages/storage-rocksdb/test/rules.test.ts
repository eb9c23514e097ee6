import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createMembership } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { StoreIo } from "../src/io/store-io.js";
import { nodeIo } from "../src/io/store-io.js";
import type { RecordHeader } from "../src/journal/record.js";
import { JournalRecord, readHeader } from "../src/journal/record.js";
import { RECORDS_AT, readSalt } from "../src/journal/segment.js";
import { readMarker } from "../src/opening/marker-file.js";
import { append, endOf, entry, flip, openStore, readAll, segments } from "./store-helpers.js";
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
      // The first of them had nothing to wait for before 32 MiB.
      if (waits === 0) expect(index).toBe(32);
      waits += 1;
      await done;
    }
    expect(waits).toBeGreaterThan(0);
    await Promise.all(acknowledged);
    // The database has it a little later.
    while ((await store.metrics()).queuedBytes > 0) await nextTurn();
    expect((await readAll(store)).length).toBe(40);
    await store.close();
    await disk.dispose();
  });

  test("makes whoever appends wait once 32 MiB wait for a disk that hangs, though the database has them", async () => {
    const disk = new TestDisk();
    const held = Promise.withResolvers<void>();
    const io: StoreIo = {
      ...disk.io,
      writeDurably: async (fd, pieces, offset, path) => {
        await held.promise;
        await disk.io.writeDurably(fd, pieces, offset, path);
      },
    };
    const store = await openStore(disk.dir, { writeBufferBytes: 134_217_728 }, io);
    const durable: Promise<void>[] = [];
    let waiting: Promise<void> | undefined;
    for (let index = 1; waiting === undefined && index <= 100; index++) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      durable.push(promise);
      const done = store.storage.append([entry(index, 1_048_576)], (error) =>
        error === null ? resolve() : reject(error),
      );
      if (done !== undefined) waiting = Promise.resolve(done);
      // What was appended so far is in the database.
      else await store.storage.readMemberships?.(1, index);
    }
    expect(durable).toHaveLength(33);
    held.resolve();
    await waiting;
    await Promise.all(durable);
    expect(await readAll(store)).toHaveLength(33);
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
    const [path] = segments(disk.dir) as [string];
    expect(disk.syncedBytes(path)).toBeGreaterThanOrEqual(endOf(path));
    const durable = (await readMarker(join(disk.dir, MARKER)))?.durable;
    // The marker says so after a power failure too.
    const left = disk.crash();
    expect((await readMarker(join(left.dir, MARKER)))?.durable).toBe(durable);
    const again = await open(left);
    expect(await again.storage.readCommitted?.()).toEqual({ term: 1, index: 1 });
    await again.close();
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

  test("has the number of the last record that is durable, and beside it the one before", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    for (let index = 1; index <= 5; index++) await append(store, entry(index));
    const path = join(disk.dir, MARKER);
    const last = (await readMarker(path))?.durable as number;
    const bytes = readFileSync(path);
    const found: (number | undefined)[] = [];
    for (const slot of [512, 1024]) {
      const damaged = `${path}.damaged`;
      writeFileSync(damaged, bytes);
      flip(damaged, slot + 3);
      found.push((await readMarker(damaged))?.durable);
      rmSync(damaged);
    }
    expect(new Set(found)).toEqual(new Set([last, last - 1]));
    await store.close();
    await disk.dispose();
  });

  test("says more than there is: an older copy of the database was put back, and the store does not open", async () => {
    const disk = new TestDisk();
    const first = await open(disk);
    await append(first, entry(1));
    await first.close();
    const copy = `${disk.dir}-copy`;
    cpSync(join(disk.dir, "db"), copy, { recursive: true });
    const second = await open(disk);
    // The database has it in tables, and the journal lets go of it.
    for (let index = 2; index <= 40; index++) await append(second, entry(index, 9000));
    await second.close();
    await (await open(disk)).close();
    rmSync(join(disk.dir, "db"), { recursive: true });
    cpSync(copy, join(disk.dir, "db"), { recursive: true });
    rmSync(copy, { recursive: true });
    await expect(open(disk)).rejects.toMatchObject({ reason: "damaged" });
    await expect(open(disk)).rejects.toThrow(/were durable, and up to \d+ they are there/);
    await disk.dispose();
  });
});

describe("opening", () => {
  test("a store that was made in part: the names of its directories are durable before it counts as made", async () => {
    const disk = new TestDisk();
    disk.onAccess = ({ call, path }) => {
      if (call === "write" && path === "journal/unfinished") throw new Error("the power is gone");
    };
    await expect(open(disk)).rejects.toThrow("the power is gone");
    disk.onAccess = null;
    const from = disk.accesses.length;
    const store = await open(disk);
    const steps = disk.accesses.slice(from).map(({ call, path }) => `${call} ${path}`);
    expect(steps).toContain("syncDirectory ");
    expect(steps.indexOf("syncDirectory ")).toBeLessThan(steps.indexOf(`write ${MARKER}`));
    await store.close();
    await disk.dispose();
  });

  test("what is in the directory of the journal and is not the store's stays", async () => {
    const disk = new TestDisk();
    await (await open(disk)).close();
    mkdirSync(join(disk.dir, "journal", "lost+found"));
    writeFileSync(join(disk.dir, "journal", "letters.txt"), "dear all");
    await (await open(disk)).close();
    expect(readdirSync(join(disk.dir, "journal"))).toEqual(
      expect.arrayContaining(["letters.txt", "lost+found"]),
    );
    await disk.dispose();
  });

  test("a record of operations that are none: the store does not open, and nothing was changed", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    await append(store, entry(1));
    const left = disk.crash();
    const [path] = segments(left.dir) as [string];
    const bytes = readFileSync(path);
    const salt = readSalt(bytes, 1);
    const { number, end: at } = readHeader(bytes, RECORDS_AT, salt) as RecordHeader;
    const record = new JournalRecord(number + 1, [
      (batch) => batch.tryPut(new Uint8Array(1), new Uint8Array(1)),
    ]);
    record.operations[0] = 9;
    writeFileSync(path, Buffer.concat([bytes.subarray(0, at), record.sealed(at, salt, number)]));
    await expect(open(left)).rejects.toMatchObject({ reason: "damaged", path: join(left.dir, "journal") });
    expect(segments(left.dir)).toEqual([path]);
    for (const each of [disk, left]) await each.dispose();
  });

  test("what was there goes last of all, when the database has it in its tables, and is gone for good before anything new is promised", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    for (let index = 1; index <= 20; index++) await append(store, entry(index, 9000));
    const left = disk.crash();
    const names = segments(left.dir).map((path) => basename(path));
    expect(names.length).toBeGreaterThan(1);
    const again = await open(left);
    await append(again, entry(21));
    const steps = left.accesses
      .map(({ call, path }) => `${call} ${path}`)
      .filter((step) => / (?:journal|db|seshat\.store)/.test(step) && !step.startsWith("open"));
    const removals = names.toReversed().map((name) => `unlink journal/${name}`);
    const made = String(Number(/\d+/.exec(names.at(-1) as string)?.[0]) + 1).padStart(12, "0");
    const from = steps.indexOf(removals[0] as string);
    expect(steps.slice(from, from + removals.length + 6)).toEqual([
      ...removals,
      "syncDirectory journal",
      "write journal/unfinished",
      "write journal/unfinished",
      "datasync journal/unfinished",
      `rename journal/segment-${made}`,
      "syncDirectory journal",
    ]);
    await again.close();
    for (const each of [disk, left]) await each.dispose();
  });

  test.each([
    ["a power failure", (disk: TestDisk) => disk.crash()],
    ["kill -9", (disk: TestDisk) => disk.kill()],
  ])("%s at any step of it leaves everything that was durable", async (_, end) => {
    const disk = new TestDisk();
    const store = await open(disk);
    for (let index = 1; index <= 20; index++) await append(store, entry(index, 9000));
    await store.storage.saveVote({ term: 3, votedFor: 2, committed: false });
    const old: TestDisk[] = [disk];
    let left = disk.crash((length) => length);
    for (let step = 1; ; step++) {
      const here = left;
      const cut = Promise.withResolvers<TestDisk>();
      const from = here.accesses.length;
      here.onAccess = (_, count) => {
        if (count === from + step) cut.resolve(end(here));
      };
      const opened = open(here);
      const next = await Promise.race([cut.promise, opened]);
      here.onAccess = null;
      old.push(here);
      if (!(next instanceof TestDisk)) {
        expect(step).toBeGreaterThan(8);
        expect(await readAll(next)).toEqual(Array.from({ length: 20 }, (_, at) => entry(at + 1, 9000)));
        expect(await next.storage.readVote()).toEqual({ term: 3, votedFor: 2, committed: false });
        await next.close();
        break;
      }
      left = next;
    }
    for (const each of old) await each.dispose();
  });

  test("RocksDB's own write-ahead log counts for nothing, whatever it holds", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    for (let index = 1; index <= 5; index++) await append(store, entry(index));
    const left = disk.crash();
    const logs = readdirSync(join(left.dir, "db")).filter((name) => name.endsWith(".log"));
    expect(logs.length).toBeGreaterThan(0);
    for (const name of logs) writeFileSync(join(left.dir, "db", name), "this is no log");
    writeFileSync(join(left.dir, "db", "000099.log"), "nor is this");
    const again = await open(left);
    expect(await readAll(again)).toEqual([1, 2, 3, 4, 5].map((index) => entry(index)));
    await again.close();
    for (const each of [disk, left]) await each.dispose();
  });
});

describe("records that were never durable", () => {
  /** The power fails when entries 1 to 6 are durable and 7 to 9 are being written, each in a record of its own. */
  async function written(disk: TestDisk): Promise<TestDisk> {
    const store = await openStore(disk.dir, { writeBufferBytes: 1_048_576 }, disk.io);
    for (let index = 1; index <= 5; index++) await append(store, entry(index));
    const sync = disk.io.datasync.bind(disk.io);
    const held: (() => void)[] = [];
    let onHeld = (): void => {};
    disk.io.datasync = async (fd, path) => {
      // That of the marker never ends.
      await new Promise<void>((resolve) => {
        if (!path.includes("segment-")) return;
        held.push(resolve);
        onHeld();
      });
      await sync(fd, path);
    };
    const isHeld = (count: number): Promise<void> =>
      new Promise((resolve) => {
        onHeld = () => held.length === count && resolve();
      });
    const sixth = isHeld(1);
    const isDurable = append(store, entry(6));
    await sixth;
    for (const [index, bytes] of [
      [7, 40_000],
      [8, 200],
      [9, 200],
    ] as const) {
      append(store, entry(index, bytes)).catch(() => {});
      await nextTurn();
    }
    const others = isHeld(2);
    held[0]?.();
    await isDurable;
    await others;
    return disk.crash((length) => length);
  }

  test("of which a later one came to the disk and an earlier one did not: none of them counts, and the store opens", async () => {
    const disk = new TestDisk();
    const left = await written(disk);
    const [path] = segments(left.dir) as [string];
    const bytes = readFileSync(path);
    // In the middle of entry 7.
    const page = Math.floor((endOf(path) - 20_000) / 4096) * 4096;
    writeFileSync(path, bytes.fill(0, page, page + 4096));
    const store = await open(left);
    expect((await store.metrics()).cutBytes).toBeGreaterThan(40_000);
    expect(await readAll(store)).toEqual([1, 2, 3, 4, 5, 6].map((index) => entry(index)));
    // The place of what is gone is nobody's: what comes now is not taken for what came then.
    await append(store, entry(7, 40_000));
    const next = left.crash();
    const again = await open(next);
    expect(await readAll(again)).toEqual([
      ...[1, 2, 3, 4, 5, 6].map((index) => entry(index)),
      entry(7, 40_000),
    ]);
    await again.close();
    for (const each of [disk, left, next]) await each.dispose();
  });

  test("that came to the disk whole: all of them count", async () => {
    const disk = new TestDisk();
    const left = await written(disk);
    const store = await open(left);
    expect((await readAll(store)).map(({ logId }) => logId.index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await store.close();
    for (const each of [disk, left]) await each.dispose();
  });
});

describe("damage that looks torn, after a power failure that took the marker", () => {
  test("a sector of zeros before records that say it was durable: the store does not open", async () => {
    const disk = new TestDisk();
    const store = await openStore(disk.dir, { writeBufferBytes: 1_048_576 }, disk.io);
    for (let index = 1; index <= 50; index++) await append(store, entry(index, 2000));
    const left = disk.crash();
    const [path] = segments(left.dir) as [string];
    const bytes = readFileSync(path);
    bytes.fill(0, 10_240, 10_752);
    writeFileSync(path, bytes);
    await expect(open(left)).rejects.toMatchObject({ reason: "damaged", path });
    for (const each of [disk, left]) await each.dispose();
  });

  test("a record that is gone without a trace: the store does not open", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    for (let index = 1; index <= 10; index++) await append(store, entry(index));
    const left = disk.crash();
    const [path] = segments(left.dir) as [string];
    const bytes = readFileSync(path);
    const salt = readSalt(bytes, 1);
    const record = readHeader(
      bytes,
      (readHeader(bytes, 512, salt) as RecordHeader).end,
      salt,
    ) as RecordHeader;
    writeFileSync(path, Buffer.concat([bytes.subarray(0, record.at), bytes.subarray(record.end)]));
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
      openDurable: async (opened) => {
        counts.opened += 1;
        return await nodeIo.openDurable(opened);
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

  test("that got its name just before the process was killed keeps it, also when the power fails later: the log may be purged up to it", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    await append(store, entry(1), entry(2));
    store.stateMachine.apply(await store.storage.readEntries(1, 2));
    const killed = new Promise<TestDisk>((resolve) => {
      disk.onAccess = ({ call, path }) => {
        if (call === "syncDirectory" && path === "snapshots") resolve(disk.kill());
      };
    });
    void store.stateMachine.snapshotBuilder().buildSnapshot(pause);
    const left = await killed;
    const again = await open(left);
    expect(again.stateMachine.readCurrentSnapshot()?.meta.lastLogId.index).toBe(2);
    await again.storage.purge({ term: 1, index: 2 });
    const later = left.crash();
    const last = await open(later);
    expect(last.stateMachine.readCurrentSnapshot()?.meta.lastLogId.index).toBe(2);
    await last.close();
    for (const each of [disk, left, later]) await each.dispose();
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
