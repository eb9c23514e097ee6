import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BytesTypeConfig } from "@seshat/common";
import { KeyValueStateMachine } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { requestCodec } from "../src/index.js";
import { openKeyValueStore, openMemoryStore } from "../src/open-storage.js";
import type { StoreOptions } from "../src/opening/options.js";
import { append, endOf, entry, flip, openStore, readAll, segments } from "./store-helpers.js";
import type { Store } from "./store-helpers.js";
import { TestDisk } from "./test-disk.js";

const open = (disk: TestDisk, options: StoreOptions = {}): Promise<Store> =>
  openStore(disk.dir, options, disk.io);

/** A store with entries 1 to `count`, each synced, that lost its power. */
async function written(count: number, bytes?: number): Promise<TestDisk> {
  const disk = new TestDisk();
  const store = await open(disk);
  await store.storage.saveIdentity({ clusterId: "blue", nodeId: 1, incarnation: 5 });
  for (let index = 1; index <= count; index++) await append(store, entry(index, bytes));
  return disk;
}

describe("damage", () => {
  test("a flipped bit in what was durable: the store does not open, and names the file", async () => {
    const disk = await written(20);
    const left = disk.crash();
    const [path] = segments(left.dir) as [string];
    const size = endOf(path);
    for (const at of [4, 512, 530, Math.floor(size / 3), Math.floor(size / 2), size - 40]) {
      flip(path, at);
      await expect(open(left), `byte ${at}`).rejects.toMatchObject({ reason: "damaged", path });
      flip(path, at);
    }
    const store = await open(left);
    expect((await store.storage.readLogState()).lastLogId.index).toBe(20);
    await store.close();
    for (const each of [disk, left]) await each.dispose();
  });

  test("the end of what was durable cut off or gone by whatever there is: the store does not open, and names the file", async () => {
    for (const cut of [1, 236, 700, 3000]) {
      const disk = await written(20);
      // A process that was killed: everything that was written is there, the marker too.
      const left = disk.crash((length) => length, "kept");
      const [path] = segments(left.dir) as [string];
      const bytes = readFileSync(path);
      const end = endOf(path);
      for (const gone of [bytes.subarray(0, end - cut), Buffer.from(bytes).fill(0, end - cut)]) {
        writeFileSync(path, gone);
        await expect(open(left), `${cut} bytes`).rejects.toMatchObject({ reason: "damaged", path });
      }
      for (const each of [disk, left]) await each.dispose();
    }
  });

  test("the database gone, or the journal, or the marker: the store does not open", async () => {
    for (const part of ["db", "journal", "seshat.store"]) {
      const disk = new TestDisk();
      const store = await open(disk);
      await append(store, entry(1));
      await store.close();
      rmSync(join(disk.dir, part), { recursive: true });
      await expect(open(disk), part).rejects.toMatchObject({ name: "UnusableStoreError" });
      await disk.dispose();
    }
  });

  test("what is left of a record that was never durable counts no more, and is said in the metrics", async () => {
    const disk = await written(5);
    const left = disk.crash();
    const [path] = segments(left.dir) as [string];
    const end = endOf(path);
    const bytes = readFileSync(path);
    // A record of some pages, of which the first never came.
    bytes.fill(7, end + 4096, end + 8192);
    writeFileSync(path, bytes);
    const store = await open(left);
    expect((await store.metrics()).cutBytes).toBeGreaterThan(0);
    expect((await store.storage.readLogState()).lastLogId.index).toBe(5);
    await store.close();
    for (const each of [disk, left]) await each.dispose();
  });

  test("segments take turns, and go once the database has what they hold in its tables: all entries are there after a crash", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    const removed = new Promise<void>((resolve) => {
      disk.onAccess = ({ call, path }) => {
        if (call === "unlink" && path.includes("segment-")) resolve();
      };
    });
    for (let index = 1; index <= 60; index++) await append(store, entry(index, 8000));
    await removed;
    const used = new Set(
      disk.accesses.flatMap(({ call, path }) =>
        call === "write" && path.includes("segment-") ? [path] : [],
      ),
    );
    expect(used.size).toBeGreaterThan(5);
    const left = disk.crash();
    const again = await open(left);
    expect(await readAll(again)).toEqual(Array.from({ length: 60 }, (_, at) => entry(at + 1, 8000)));
    await again.close();
    for (const each of [disk, left]) await each.dispose();
  });
});

describe("every acknowledged write was durable first", () => {
  const unsynced = async (spoil: (disk: TestDisk) => void): Promise<number> => {
    const disk = new TestDisk();
    const store = await open(disk);
    spoil(disk);
    let found = 0;
    for (let index = 1; index <= 10; index++) {
      await append(store, entry(index));
      const [path] = segments(disk.dir) as [string];
      if (disk.syncedBytes(path) < endOf(path)) found += 1;
    }
    await store.close();
    await disk.dispose();
    return found;
  };

  test("no completion comes before the journal is durable to its end", async () => {
    expect(await unsynced(() => {})).toBe(0);
  });

  test("a missing sync is found", async () => {
    expect(await unsynced((disk) => (disk.io.datasync = async () => {}))).toBe(10);
  });

  test("one write serves all that wait", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    const { count } = (await store.metrics()).syncLatency;
    await Promise.all(Array.from({ length: 256 }, (_, at) => append(store, entry(at + 1))));
    expect((await store.metrics()).syncLatency.count - count).toBeLessThanOrEqual(2);
    await store.close();
    await disk.dispose();
  });

  test("a write that fails poisons the store: what waits and what follows gets the cause", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    disk.onAccess = ({ call }) => {
      if (call === "datasync") throw new Error("the disk is on fire");
    };
    await expect(append(store, entry(1))).rejects.toThrow("the disk is on fire");
    disk.onAccess = null;
    expect(() => store.storage.readLogState()).toThrow("the disk is on fire");
    await expect(async () =>
      store.storage.saveVote({ term: 1, votedFor: 1, committed: true }),
    ).rejects.toThrow("the disk is on fire");
    await store.close();
    await disk.dispose();
  });
});

describe("a directory", () => {
  test("is opened once at a time, in this process and in others", async () => {
    const disk = new TestDisk();
    const store = await open(disk);
    await expect(open(disk)).rejects.toMatchObject({ reason: "locked" });
    const addon = import.meta.resolve("rocksdb-native");
    const script = `const { default: Rocks } = await import(${JSON.stringify(addon)});
      try { await new Rocks(${JSON.stringify(join(disk.dir, "lock"))}).ready(); console.log("open"); }
      catch (error) { console.log(error.message); }`;
    const other = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(other.stdout).toMatch(/lock file/i);
    await store.close();
    await (await open(disk)).close();
    await disk.dispose();
  });

  test("of another node or cluster is refused, and one of another kind", async () => {
    const disk = await written(1);
    const left = disk.crash();
    await expect(open(left, { nodeId: 2 })).rejects.toMatchObject({ field: "nodeId", found: "1" });
    await expect(open(left, { clusterId: "red" })).rejects.toMatchObject({
      field: "clusterId",
      found: "blue",
    });
    await expect(openKeyValueStore(left.dir, {}, left.io)).rejects.toMatchObject({ reason: "unknown" });
    await (await open(left, { clusterId: "blue", nodeId: 1 })).close();
    for (const each of [disk, left]) await each.dispose();
  });

  test("that is new is durable with those above it before anything is promised", async () => {
    const disk = new TestDisk();
    const dir = join(disk.dir, "var", "lib", "node");
    const store = await openMemoryStore<BytesTypeConfig>(
      dir,
      { stateMachine: new KeyValueStateMachine(), codec: requestCodec },
      disk.io,
    );
    const synced = disk.accesses.flatMap(({ call, path }) => (call === "syncDirectory" ? [path] : []));
    expect(synced).toEqual(expect.arrayContaining(["", "var", "var/lib", "var/lib/node"]));
    await store.close();
    await disk.dispose();
  });

  test("that holds something else is left alone", async () => {
    const disk = new TestDisk();
    writeFileSync(join(disk.dir, "letters.txt"), "dear all");
    await expect(open(disk)).rejects.toMatchObject({ reason: "unknown" });
    expect(readFileSync(join(disk.dir, "letters.txt"), "utf8")).toBe("dear all");
    await disk.dispose();
  });
});
