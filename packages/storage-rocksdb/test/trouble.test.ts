import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { StorageError } from "@seshat/common";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UnusableStoreError } from "../src/errors.js";
import { ChildStore } from "./child-store.js";
import { append, entry, openStore, readAll } from "./store-helpers.js";
import type { Store } from "./store-helpers.js";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "seshat-trouble-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What opening fails with. */
async function refusal(dir: string): Promise<UnusableStoreError> {
  let store: Store;
  try {
    store = await openStore(dir);
  } catch (error) {
    if (error instanceof UnusableStoreError) return error;
    throw error;
  }
  await store.close();
  throw new Error(`${dir} was opened`);
}

describe("a second process", () => {
  test("is refused while the first one runs, and is let in when that was killed", async () => {
    const dir = join(root, "store");
    const child = new ChildStore(dir, "hold");
    try {
      await child.written(1);
      const error = await refusal(dir);
      expect(error).toMatchObject({ reason: "locked", path: join(dir, "lock") });
      expect(error.message).toContain("another process has the store open");
      expect(error.message).toContain("end that process, or give this node a directory of its own");
    } finally {
      await child.kill();
    }
    const store = await openStore(dir);
    await append(store, entry(1));
    await store.close();
  });

  test("finds everything that the first one acknowledged before kill -9, and goes on", async () => {
    const dir = join(root, "store");
    let before = 0;
    for (let round = 0; round < 4; round++) {
      const child = new ChildStore(dir, "write");
      await child.written(150 + 137 * round);
      await child.kill();
      const store = await openStore(dir);
      const found = (await readAll(store)).map(({ payload }) =>
        payload.type === "normal" ? Buffer.from(payload.data.data).toString("latin1", 0, 13) : payload.type,
      );
      await store.close();
      expect(found).toEqual(found.map((_, at) => `entry-${String(at + 1).padStart(6, "0")};`));
      const acknowledged = child.lines.map((line) => line.slice("ack ".length));
      expect(acknowledged.filter((name) => !found.includes(name))).toEqual([]);
      // Nothing of an earlier round is gone either.
      expect(found.length).toBeGreaterThanOrEqual(before + acknowledged.length);
      before = found.length;
    }
  });
});

describe("the addon", () => {
  test.skipIf(process.platform !== "linux")("without libatomic: the error says what to install", async () => {
    const hidden = join(root, "lib");
    mkdirSync(hidden);
    // The loader takes the first file of this name, and this one is none.
    writeFileSync(join(hidden, "libatomic.so.1"), "");
    const child = new ChildStore(join(root, "store"), "hold", { env: { LD_LIBRARY_PATH: hidden } });
    const { code, err } = await child.ended();
    expect(code).toBe(1);
    expect(err).toContain("UnusableStoreError");
    expect(err).toContain(`the addon cannot be loaded on linux-${process.arch}`);
    expect(err).toContain("libatomic.so.1");
    expect(err).toContain("`apt-get install libatomic1`");
    expect(readdirSync(root)).toEqual(["lib"]);
  });
});

/** A file system in memory, mounted at a directory. */
class SmallDisk {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** @returns null where it cannot be mounted. */
  static mount(dir: string, megabytes: number): SmallDisk | null {
    mkdirSync(dir, { recursive: true });
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", dir]);
    return status === 0 ? new SmallDisk(dir) : null;
  }

  remount(options: string): void {
    const { status, stderr } = spawnSync("mount", ["-o", `remount,${options}`, this.dir], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
  }

  unmount(): void {
    spawnSync("umount", ["-l", this.dir]);
  }
}

const probe = SmallDisk.mount(mkdtempSync(join(tmpdir(), "seshat-probe-")), 1);
probe?.unmount();
const cannotMount = probe === null ? " (skipped: this user may not mount a tmpfs)" : "";

describe.skipIf(probe === null)(`a small disk${cannotMount}`, () => {
  let disk: SmallDisk;

  beforeEach(() => {
    const mounted = SmallDisk.mount(join(root, "disk"), 16);
    if (mounted === null) throw new Error("the tmpfs cannot be mounted any more");
    disk = mounted;
  });

  afterEach(() => disk.unmount());

  test("that is full: the write fails and says so, the store takes no more, and everything acknowledged is there once there is room", async () => {
    const dir = join(disk.dir, "store");
    const store = await openStore(dir);
    let acknowledged = 0;
    let failure: unknown = null;
    while (failure === null && acknowledged < 10_000) {
      try {
        await append(store, entry(acknowledged + 1, 50_000));
        acknowledged += 1;
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toBeInstanceOf(StorageError);
    // The journal finds none, or RocksDB does, at a batch or at a table in the background.
    const reason = /no space left on device|the disk may be full/i;
    expect(String(failure)).toMatch(reason);
    // How many fit is RocksDB's affair: it reserves room for the logs and tables that it is about to write.
    expect(acknowledged).toBeGreaterThan(0);
    // Whatever follows gets the same reason, also where the disk has room again.
    disk.remount("size=64m");
    await expect(append(store, entry(acknowledged + 2))).rejects.toThrow(reason);
    expect(() => store.storage.readLogState()).toThrow(reason);
    // RocksDB may never end a batch that it made wait: then the store says that it stays locked, and what is on the disk is what counts.
    const stuck: unknown = await store.close().then(
      () => null,
      (error: unknown) => error,
    );
    if (stuck !== null) {
      expect(stuck).toMatchObject({
        message: expect.stringContaining("stays locked until this process ends") as unknown,
      });
    }
    const left = stuck === null ? dir : join(disk.dir, "copy");
    if (stuck !== null) cpSync(dir, left, { recursive: true });

    const again = await openStore(left);
    const entries = await readAll(again);
    expect(entries.length).toBeGreaterThanOrEqual(acknowledged);
    expect(entries).toEqual(entries.map((_, at) => entry(at + 1, 50_000)));
    await append(again, entry(entries.length + 1));
    await again.close();
  });

  test("that is full when the store is opened: it is refused, says what to do, and has lost nothing", async () => {
    const dir = join(disk.dir, "store");
    const store = await openStore(dir);
    for (let index = 1; index <= 20; index++) await append(store, entry(index));
    await store.close();
    const filler = join(disk.dir, "filler");
    fill(filler);
    const error = await refusal(dir);
    expect(error.reason).toBe("io");
    expect(error.path.startsWith(dir)).toBe(true);
    expect(error.message).toMatch(/no space left/i);
    expect(error.message).toContain("make room on this disk");
    rmSync(filler);
    const again = await openStore(dir);
    expect(await readAll(again)).toEqual(Array.from({ length: 20 }, (_, at) => entry(at + 1)));
    await again.close();
  });

  test("that may only be read: the store is refused, says what to do, and stays as it is", async () => {
    const dir = join(disk.dir, "store");
    disk.remount("ro");
    const missing = await refusal(dir);
    expect(missing).toMatchObject({ reason: "io", path: dir });
    disk.remount("rw");
    const store = await openStore(dir);
    await append(store, entry(1));
    await store.close();
    const before = contents(dir);
    disk.remount("ro");
    const error = await refusal(dir);
    expect(error.reason).toBe("io");
    expect(error.path.startsWith(dir)).toBe(true);
    expect(error.message).toMatch(/read-only/i);
    expect(error.message).toContain("this process has to be able to write there");
    expect(contents(dir)).toEqual(before);
    disk.remount("rw");
    const again = await openStore(dir);
    expect(await readAll(again)).toEqual([entry(1)]);
    await again.close();
  });

  test("that becomes full while a snapshot is built: the build fails, the log goes on where it can, and the old snapshot stands", async () => {
    const dir = join(disk.dir, "store");
    const store = await openStore(dir, { writeBufferBytes: 4_194_304 });
    for (let index = 1; index <= 10; index++) await append(store, entry(index));
    store.stateMachine.apply(await store.storage.readEntries(1, 5));
    const old = await store.stateMachine.snapshotBuilder().buildSnapshot(async () => {});
    store.stateMachine.apply(await store.storage.readEntries(6, 10));
    // RocksDB needs room for what it does not have yet.
    while ((await store.metrics()).queuedBytes > 0) await nextTurn();
    const filler = join(disk.dir, "filler");
    fill(filler);
    const builder = store.stateMachine.snapshotBuilder();
    await expect(builder.buildSnapshot(async () => {})).rejects.toThrow(/no space left/i);
    rmSync(filler);
    expect(store.stateMachine.readCurrentSnapshot()).toBe(old);
    await append(store, entry(11));
    const next = await store.stateMachine.snapshotBuilder().buildSnapshot(async () => {});
    expect(next.meta.lastLogId.index).toBe(10);
    await store.close();
    const again = await openStore(dir);
    expect(again.stateMachine.readCurrentSnapshot()?.meta.lastLogId.index).toBe(10);
    expect(await readAll(again)).toHaveLength(11);
    await again.close();
  });
});

/** Takes all room that is left. */
function fill(path: string): void {
  spawnSync("dd", ["if=/dev/zero", `of=${path}`, "bs=4096"], { stdio: "ignore" });
  if (statSync(path).size === 0) throw new Error("nothing could be written");
}

/** Every file of a store but the logs that RocksDB writes for people. */
function contents(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !file.name.startsWith("LOG"))
    .map((file) => join(file.parentPath, file.name));
  return Object.fromEntries(files.map((path) => [path, readFileSync(path).toString("hex")]));
}
