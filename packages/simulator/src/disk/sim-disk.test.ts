import { InvalidValueError } from "@seshat/common";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { DiskError } from "./disk-error.js";
import type { DiskOperation } from "./sim-device.js";
import type { SimDiskFaults } from "./sim-disk-faults.js";
import { SimDisk } from "./sim-disk.js";

let clock: VirtualClock;

beforeEach(() => {
  clock = new VirtualClock();
});

function makeDisk(faults: Partial<SimDiskFaults> = {}, seed = 1): SimDisk {
  const random = new SeededRandom(seed);
  return new SimDisk({ runtime: clock.runtime(random.fork()), random, faults });
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a file holds, as text; null when there is none. */
function textOf(disk: SimDisk, file: string): string | null {
  const size = disk.size(file) as number | null;
  return size === null ? null : new TextDecoder().decode(disk.read(file, 0, size) as Uint8Array);
}

const sync = (disk: SimDisk, file: string): Promise<void> =>
  clock.runUntilSettled(Promise.resolve(disk.sync(file)), 100_000);

const syncDirectory = (disk: SimDisk): Promise<void> =>
  clock.runUntilSettled(Promise.resolve(disk.syncDirectory()), 100_000);

/** Writes a file and makes it durable, its name too. */
async function keep(disk: SimDisk, file: string, text: string): Promise<void> {
  await disk.write(file, 0, bytes(text));
  await sync(disk, file);
  await syncDirectory(disk);
}

describe("files", () => {
  test("are written, read, cut, renamed and removed at once", () => {
    const disk = makeDisk();
    expect(disk.write("b", 0, bytes("hello"))).toBe(5);
    expect(disk.write("a", 0, bytes("x"))).toBe(1);
    expect(disk.write("b", 5, bytes(" world"))).toBe(6);
    expect(disk.write("b", 0, bytes("J"))).toBe(1);
    expect(textOf(disk, "b")).toBe("Jello world");
    expect(new TextDecoder().decode(disk.read("b", 6, 100) as Uint8Array)).toBe("world");
    expect(disk.read("b", 100, 5)).toHaveLength(0);
    void disk.truncate("b", 5);
    expect(textOf(disk, "b")).toBe("Jello");
    expect(disk.list()).toStrictEqual(["a", "b"]);
    void disk.rename("b", "a");
    expect(disk.list()).toStrictEqual(["a"]);
    expect(textOf(disk, "a")).toBe("Jello");
    void disk.remove("a");
    expect(disk.list()).toStrictEqual([]);
    expect(disk.size("a")).toBeNull();
  });

  test("keep what was written when the caller uses its bytes again", async () => {
    const disk = makeDisk();
    const mine = bytes("one");
    void disk.write("a", 0, mine);
    mine.fill(0);
    expect(textOf(disk, "a")).toBe("one");
    await sync(disk, "a");
    await syncDirectory(disk);
    disk.crash();
    expect(textOf(disk.reopen(), "a")).toBe("one");
  });

  test("that are open can be read when they are renamed, replaced and removed", async () => {
    const disk = makeDisk();
    void disk.write("a", 0, bytes("old"));
    const open = await disk.open("a");
    void disk.rename("a", "b");
    expect(open.read(0, 9)).toStrictEqual(bytes("old"));
    void disk.write("c", 0, bytes("new"));
    void disk.rename("c", "b");
    expect(open.read(1, 9)).toStrictEqual(bytes("ld"));
    void disk.remove("b");
    expect(open.read(0, 9)).toStrictEqual(bytes("old"));
  });

  test.for([
    ["read", (disk: SimDisk) => disk.read("x", 0, 1), "ENOENT"],
    ["open", (disk: SimDisk) => disk.open("x"), "ENOENT"],
    ["truncate", (disk: SimDisk) => disk.truncate("x", 0), "ENOENT"],
    ["truncate", (disk: SimDisk) => disk.truncate("there", 6), "EINVAL"],
    ["rename", (disk: SimDisk) => disk.rename("x", "y"), "ENOENT"],
    ["remove", (disk: SimDisk) => disk.remove("x"), "ENOENT"],
    ["sync", (disk: SimDisk) => disk.sync("x"), "ENOENT"],
    ["write", (disk: SimDisk) => disk.write("x", 1, bytes("a")), "EINVAL"],
    ["write", (disk: SimDisk) => disk.write("there", 6, bytes("a")), "EINVAL"],
  ] as const)("that are not there, or not so long, are an error of %s", ([verb, call, code]) => {
    const disk = makeDisk();
    void disk.write("there", 0, bytes("there"));
    let thrown: unknown = null;
    try {
      void call(disk);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(DiskError);
    expect(thrown).toMatchObject({ verb, code, name: "DiskError" });
    expect((thrown as DiskError).message).toContain(`the disk failed to ${verb} `);
  });
});

describe("a crash of the machine", () => {
  /** What is left of a file after a crash, for many seeds. */
  async function outcomes(
    write: (disk: SimDisk) => unknown,
    faults: Partial<SimDiskFaults> = {},
  ): Promise<Set<string | null>> {
    const found = new Set<string | null>();
    for (let seed = 0; seed < 300; seed++) {
      const disk = makeDisk(faults, seed);
      await keep(disk, "a", "durable");
      await write(disk);
      disk.crash();
      found.add(textOf(disk.reopen(), "a"));
    }
    return found;
  }

  test("leaves what was synced", async () => {
    const write = async (disk: SimDisk): Promise<void> => {
      await disk.write("a", 7, bytes("+more"));
      await sync(disk, "a");
    };
    expect(await outcomes(write)).toStrictEqual(new Set(["durable+more"]));
  });

  test("leaves nothing, all or any beginning of what was not synced", async () => {
    const write = (disk: SimDisk): void => {
      void disk.write("a", 7, bytes("12"));
      void disk.write("a", 9, bytes("34"));
    };
    expect(await outcomes(write, { junkTailRate: 0 })).toStrictEqual(
      new Set(["durable", "durable1", "durable12", "durable123", "durable1234"]),
    );
  });

  test("may leave zeros or garbage where a tail is torn, up to the length that there was", async () => {
    const found = [
      ...(await outcomes((disk) => disk.write("a", 7, bytes("123456")), { junkTailRate: 1 })),
    ] as string[];
    expect(found.every((text) => text.startsWith("durable"))).toBe(true);
    expect(found.some((text) => /^durable1\0+$/.test(text))).toBe(true);
    expect(found.some((text) => text.startsWith("durable12") && !/^durable[1-6]*\0*$/.test(text))).toBe(true);
    expect(Math.max(...found.filter((text) => /^[\0-z]*$/.test(text)).map((text) => text.length))).toBe(13);
  });

  test("leaves a mixture of old and new where something was overwritten, and no junk", async () => {
    const found = await outcomes((disk) => disk.write("a", 0, bytes("DUR")), { junkTailRate: 1 });
    expect(found).toStrictEqual(new Set(["durable", "Durable", "DUrable", "DURable"]));
  });

  test("undoes a cut that was not synced, or not", async () => {
    expect(await outcomes((disk) => disk.truncate("a", 3))).toStrictEqual(new Set(["durable", "dur"]));
  });

  test("leaves files as they were at different times: one may have what is newer, and the other not what is older", async () => {
    const found = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const disk = makeDisk({ junkTailRate: 0 }, seed);
      await keep(disk, "a", "");
      await keep(disk, "b", "");
      void disk.write("a", 0, bytes("1"));
      void disk.write("b", 0, bytes("2"));
      disk.crash();
      const next = disk.reopen();
      found.add(`${textOf(next, "a")},${textOf(next, "b")}`);
    }
    expect(found).toStrictEqual(new Set([",", "1,", ",2", "1,2"]));
  });

  test("leaves names as they were, or changed, where the directory was not synced", async () => {
    const found = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const disk = makeDisk({}, seed);
      await keep(disk, "a", "A");
      await keep(disk, "b", "B");
      void disk.write("new", 0, bytes("N"));
      await sync(disk, "new");
      void disk.rename("new", "a");
      void disk.remove("b");
      disk.crash();
      const next = disk.reopen();
      found.add((next.list() as string[]).map((file) => `${file}${textOf(next, file)}`).join(" "));
    }
    expect(found).toStrictEqual(new Set(["aA bB", "aA", "aA bB newN", "aA newN", "aN bB", "aN"]));
  });

  test("leaves a name without content where only the directory was synced", async () => {
    const found = new Set<string | null>();
    for (let seed = 0; seed < 50; seed++) {
      const disk = makeDisk({ junkTailRate: 0 }, seed);
      void disk.write("a", 0, bytes("x"));
      await syncDirectory(disk);
      disk.crash();
      found.add(textOf(disk.reopen(), "a"));
    }
    expect(found).toStrictEqual(new Set(["", "x"]));
  });

  test("ends every call: none returns any more, and none does anything", async () => {
    const disk = makeDisk();
    await keep(disk, "a", "1");
    const open = await disk.open("a");
    let ended = 0;
    const end = (): void => {
      ended += 1;
    };
    void disk.write("a", 1, bytes("2"));
    Promise.resolve(disk.sync("a")).then(end, end);
    disk.crash();
    const next = disk.reopen();
    const before = textOf(next, "a");
    for (const call of [
      disk.write("a", 0, bytes("zzz")),
      disk.truncate("a", 0),
      disk.remove("a"),
      disk.read("a", 0, 1),
      open.read(0, 1),
      disk.sync("a"),
      disk.syncDirectory(),
      disk.list(),
    ]) {
      Promise.resolve(call as unknown).then(end, end);
    }
    await clock.advance(10_000);
    expect(ended).toBe(0);
    expect(textOf(next, "a")).toBe(before);
  });
});

describe("a crash of the process", () => {
  test("loses nothing, and makes nothing durable", async () => {
    const found = new Set<string | null>();
    for (let seed = 0; seed < 50; seed++) {
      const disk = makeDisk({ junkTailRate: 0 }, seed);
      await keep(disk, "a", "1");
      void disk.write("a", 1, bytes("2"));
      void disk.sync("a");
      disk.crash("process");
      const second = disk.reopen();
      await clock.advance(1000);
      expect(textOf(second, "a")).toBe("12");
      second.crash();
      found.add(textOf(second.reopen(), "a"));
    }
    expect(found).toStrictEqual(new Set(["1", "12"]));
  });
});

describe("a sync", () => {
  test("takes its time, and covers what was written before it began", async () => {
    const found = new Set<string | null>();
    for (let seed = 0; seed < 50; seed++) {
      const disk = makeDisk({ syncMs: 5, meanSyncMs: 0, junkTailRate: 0 }, seed);
      void disk.write("a", 0, bytes("1"));
      await syncDirectory(disk);
      let done = false;
      Promise.resolve(disk.sync("a")).then(
        () => (done = true),
        () => {},
      );
      void disk.write("a", 1, bytes("2"));
      await clock.advance(4.9);
      expect(done).toBe(false);
      await clock.advance(0.2);
      expect(done).toBe(true);
      disk.crash();
      found.add(textOf(disk.reopen(), "a"));
    }
    expect(found).toStrictEqual(new Set(["1", "12"]));
  });

  test("is slow as often as it is told to be", async () => {
    const disk = makeDisk({ syncMs: 1, meanSyncMs: 0, slowRate: 1 });
    void disk.write("a", 0, bytes("1"));
    const started = clock.now;
    await sync(disk, "a");
    expect(clock.now - started).toBe(100);
    expect(disk.counts.slowSync).toBe(1);
    disk.setFaults({ slowRate: 0 });
    await sync(disk, "a");
    expect(clock.now - started).toBe(101);
  });

  test("takes as long on average as it is told to", async () => {
    const disk = makeDisk({ syncMs: 1, meanSyncMs: 4 });
    void disk.write("a", 0, bytes("1"));
    const started = clock.now;
    for (let i = 0; i < 400; i++) await sync(disk, "a");
    expect((clock.now - started) / 400).toBeGreaterThan(4);
    expect((clock.now - started) / 400).toBeLessThan(6);
  });

  test("does not end while the disk hangs, and makes nothing durable; released, it ends", async () => {
    const disk = makeDisk();
    let ended = 0;
    void disk.write("a", 0, bytes("1"));
    disk.hang();
    for (const call of [disk.sync("a"), disk.syncDirectory()]) {
      Promise.resolve(call).then(
        () => (ended += 1),
        () => {},
      );
    }
    await clock.advance(100_000);
    expect(ended).toBe(0);
    expect(disk.counts.hungSync).toBe(2);
    disk.release();
    await clock.advance(0);
    expect(ended).toBe(2);
    disk.crash();
    expect(textOf(disk.reopen(), "a")).toBe("1");
  });

  test("that hangs at a crash is lost, and the disk goes on hanging", async () => {
    const disk = makeDisk();
    disk.hang();
    await disk.write("a", 0, bytes("1"));
    void disk.sync("a");
    await clock.advance(10);
    disk.crash("process");
    const next = disk.reopen();
    let done = false;
    Promise.resolve(next.sync("a")).then(
      () => (done = true),
      () => {},
    );
    await clock.advance(1000);
    expect(done).toBe(false);
    next.release();
    await clock.advance(0);
    expect(done).toBe(true);
  });

  test("that fails has lost what it was for, also when a later one succeeds", async () => {
    const found = new Set<string | null>();
    for (let seed = 0; seed < 100; seed++) {
      const disk = makeDisk({}, seed);
      await keep(disk, "a", "0");
      void disk.write("a", 1, bytes("1"));
      void disk.write("a", 2, bytes("2"));
      disk.failNext("sync");
      await expect(sync(disk, "a")).rejects.toMatchObject({ code: "EIO", verb: "sync", file: "a" });
      expect(textOf(disk, "a")).toBe("012");
      void disk.write("a", 3, bytes("3"));
      await sync(disk, "a");
      disk.crash();
      found.add(textOf(disk.reopen(), "a"));
    }
    expect(found).toStrictEqual(new Set(["0\0\x003", "01\x003"]));
  });
});

describe("faults", () => {
  test("of each kind happen at the rate that is asked for, and are counted", () => {
    const disk = makeDisk();
    void disk.write("a", 0, bytes("x"));
    const attempt = (call: () => unknown): boolean => {
      try {
        call();
        return true;
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: "EIO" });
        return false;
      }
    };
    const calls = {
      readErrorRate: [() => disk.read("a", 0, 1), "failedRead"],
      writeErrorRate: [() => disk.write("a", 0, bytes("y")), "failedWrite"],
      renameErrorRate: [() => disk.rename("a", "a"), "failedRename"],
    } as const;
    for (const [rate, [call, fault]] of Object.entries(calls)) {
      disk.setFaults({ [rate]: 0.25 });
      let failed = 0;
      for (let i = 0; i < 400; i++) if (!attempt(call)) failed += 1;
      disk.setFaults({ [rate]: 0 });
      for (let i = 0; i < 50; i++) expect(attempt(call)).toBe(true);
      expect(failed).toBe(disk.counts[fault]);
      expect(failed).toBeGreaterThan(60);
      expect(failed).toBeLessThan(140);
    }
  });

  test("can be laid for the next call of a kind, on one file or any", () => {
    const disk = makeDisk();
    disk.failNext("write", { file: "b", code: "ENOSPC" });
    expect(disk.write("a", 0, bytes("1"))).toBe(1);
    expect(() => disk.write("b", 0, bytes("1"))).toThrow("the disk failed to write b: ENOSPC");
    expect(disk.size("b")).toBeNull();
    expect(disk.write("b", 0, bytes("1"))).toBe(1);
    disk.failNext("list");
    expect(() => disk.list()).toThrow("the disk failed to list: EIO");
    expect(disk.counts.failedOther).toBe(1);
  });

  test("of a full disk: a write that does not fit writes what does, and then nothing; what is removed makes room", () => {
    const disk = makeDisk({ capacityBytes: 10 });
    // What is written over, cut off or removed takes no room.
    for (let i = 0; i < 20; i += 1) {
      void disk.write("old", 0, bytes("1234"));
      void disk.truncate("old", 1);
    }
    void disk.remove("old");
    expect(disk.write("a", 0, bytes("12345678"))).toBe(8);
    expect(disk.write("b", 0, bytes("1234"))).toBe(2);
    expect(() => disk.write("b", 2, bytes("34"))).toThrow(/ENOSPC/);
    expect(disk.counts.diskFull).toBe(2);
    expect(disk.write("a", 0, bytes("ABCDEFGH"))).toBe(8);
    void disk.remove("a");
    expect(disk.write("b", 2, bytes("34"))).toBe(2);
    expect(textOf(disk, "b")).toBe("1234");
  });

  test("of a short write: it says how much it wrote", () => {
    const disk = makeDisk({ shortWriteRate: 1 });
    const written = disk.write("a", 0, bytes("123456")) as number;
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(6);
    expect(textOf(disk, "a")).toBe("123456".slice(0, written));
    expect(disk.write("a", written, bytes("x"))).toBe(1);
    expect(disk.counts.shortWrite).toBe(1);
  });

  test("of a write that goes astray: it claims to have worked, and is somewhere else", () => {
    const places = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const disk = makeDisk({}, seed);
      void disk.write("a", 0, bytes("aaaa"));
      void disk.write("b", 0, bytes("bbbb"));
      disk.setFaults({ misdirectedWriteRate: 1 });
      expect(disk.write("a", 4, bytes("!"))).toBe(1);
      expect(disk.counts.misdirectedWrite).toBe(1);
      places.add(`${textOf(disk, "a")} ${textOf(disk, "b")}`);
    }
    expect(places).toContain("aaaa b!bb");
    expect(places).toContain("!aaa bbbb");
  });

  test("of the next write alone: it goes astray where it may, or nowhere, unless that is taken back", () => {
    const places = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const disk = makeDisk({}, seed);
      void disk.write("a", 0, bytes("aaaa"));
      void disk.write("b", 0, bytes("bbbb"));
      disk.misdirectNext((file, offset, length, size) => file === "b" && offset + length < size);
      expect(disk.write("a", 4, bytes("!"))).toBe(1);
      void disk.write("a", 4, bytes("?"));
      places.add(`${textOf(disk, "a")} ${textOf(disk, "b")}`);
      expect(disk.counts.misdirectedWrite).toBe(1);
    }
    expect([...places].sort()).toStrictEqual(["aaaa? !bbb", "aaaa? b!bb", "aaaa? bb!b"]);
    const disk = makeDisk();
    disk.misdirectNext(() => false);
    void disk.write("a", 0, bytes("lost"));
    expect(textOf(disk, "a")).toBe("");
    disk.misdirectNext();
    disk.failNext("write");
    disk.disarm();
    void disk.write("a", 0, bytes("kept"));
    expect(textOf(disk, "a")).toBe("kept");
    expect([disk.files, disk.usedBytes]).toStrictEqual([["a"], 4]);
  });

  test("of the medium: one byte is another, where it is asked for or anywhere, for good", async () => {
    const disk = makeDisk();
    await keep(disk, "a", "aaaa");
    await keep(disk, "b", "bbbb");
    expect(disk.corrupt({ file: "a", offset: 2 })).toStrictEqual({ file: "a", offset: 2 });
    const damaged = textOf(disk, "a");
    expect(damaged).toMatch(/^aa[^a]a$/);
    disk.crash();
    const next = disk.reopen();
    expect(textOf(next, "a")).toBe(damaged);
    const hit = next.corrupt();
    expect(hit).not.toBeNull();
    expect(["a", "b"]).toContain(hit?.file);
    expect(next.corrupt({ file: "x" })).toBeNull();
    expect(next.corrupt({ file: "a", offset: 4 })).toBeNull();
    expect(next.counts.corruption).toBe(2);
    expect(makeDisk().corrupt()).toBeNull();
  });

  test("that make no sense are refused, and nothing changes", () => {
    const disk = makeDisk();
    expect(() => disk.setFaults({ syncErrorRate: 1.5 })).toThrow(InvalidValueError);
    expect(() => disk.setFaults({ syncMs: -1 })).toThrow("faults.syncMs is -1, but it must be at least 0");
    expect(() => disk.setFaults({ slowRate: Number.NaN })).toThrow(/faults.slowRate/);
    expect(disk.faults).toMatchObject({ syncErrorRate: 0, syncMs: 0.1, slowRate: 0 });
    expect(() => makeDisk({ capacityBytes: -1 })).toThrow(/faults.capacityBytes/);
  });
});

describe("the hook", () => {
  test("sees each call before it does anything, in all lives", () => {
    const disk = makeDisk();
    const seen: DiskOperation[] = [];
    disk.onOperation = (operation) => {
      seen.push(operation);
    };
    void disk.write("a", 0, bytes("1"));
    disk.crash();
    const next = disk.reopen();
    void next.list();
    void disk.list();
    expect(seen).toStrictEqual([
      { count: 1, verb: "write", file: "a" },
      { count: 2, verb: "list", file: "" },
    ]);
    expect(next.operations).toBe(2);
    next.onOperation = null;
    void next.list();
    expect(seen).toHaveLength(2);
  });

  test("may crash the disk: then the call neither returns nor does anything", async () => {
    const disk = makeDisk();
    await keep(disk, "a", "1");
    disk.onOperation = () => {
      disk.crash();
    };
    let returned = false;
    Promise.resolve(disk.write("a", 0, bytes("2"))).then(
      () => (returned = true),
      () => (returned = true),
    );
    await clock.advance(1000);
    expect(returned).toBe(false);
    const next = disk.reopen();
    next.onOperation = null;
    expect(textOf(next, "a")).toBe("1");
  });
});

test("a disk with the same seed and the same calls does the same", async () => {
  const run = async (): Promise<string> => {
    clock = new VirtualClock();
    let disk = makeDisk(
      { syncErrorRate: 0.2, shortWriteRate: 0.3, misdirectedWriteRate: 0.1, slowRate: 0.2 },
      7,
    );
    const log: string[] = [];
    for (let i = 0; i < 100; i++) {
      const file = `f${i % 3}`;
      log.push(JSON.stringify(disk.write(file, 0, bytes(`text ${i}`))));
      log.push(
        await sync(disk, file).then(
          () => "ok",
          (thrown: unknown) => String(thrown),
        ),
      );
      if (i % 7 === 0) {
        disk.crash();
        disk = disk.reopen();
        log.push((disk.list() as string[]).map((name) => `${name}=${textOf(disk, name)}`).join());
      }
    }
    return JSON.stringify([log, clock.now, disk.counts]);
  };
  const first = await run();
  expect(await run()).toBe(first);
});
