import type { LogEntry, LogId } from "@seshat/common";
import { InvalidValueError, StorageError, ZERO_LOG_ID } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { Bench, ListMachine, appended, codec, entry, readAll } from "../../test/sim-storage-fixture.js";
import type { Types } from "../../test/sim-storage-fixture.js";
import type { DiskVerb } from "../disk/disk.js";
import { segmentFile } from "./log-format.js";
import type { SimStorage } from "./open-sim-storage.js";
import { openSimStorage } from "./open-sim-storage.js";

const indexes = async (store: SimStorage<Types>): Promise<number[]> =>
  (await readAll(store)).map(({ logId }) => logId.index);

/** What the disk is asked to do while `act` runs. */
async function operations(bench: Bench, act: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  bench.disk.onOperation = ({ verb, file }) => {
    seen.push(`${verb} ${file}`.trim());
  };
  await act();
  bench.disk.onOperation = null;
  return seen.filter((operation) => !operation.startsWith("size"));
}

describe("a new store", () => {
  test("holds nothing", async () => {
    const { storage, stateMachine } = await new Bench().open();
    expect(storage.readIdentity()).toBeNull();
    expect(storage.readVote()).toBeNull();
    expect(storage.readLogState()).toStrictEqual({ lastPurgedLogId: ZERO_LOG_ID, lastLogId: ZERO_LOG_ID });
    expect(storage.readCommitted()).toBeNull();
    expect(storage.readEntries(1, 0)).toStrictEqual([]);
    expect(stateMachine.readCurrentSnapshot()).toBeNull();
  });

  test("needs a segment to have some length", async () => {
    await expect(new Bench().open(0)).rejects.toThrow(InvalidValueError);
  });
});

describe("the vote and the identity", () => {
  test("are durable once saved", async () => {
    const bench = new Bench();
    const { storage } = await bench.open();
    const identity = { clusterId: "größe", nodeId: 5, incarnation: Number.MAX_SAFE_INTEGER };
    await bench.run(storage.saveIdentity(identity));
    await bench.run(storage.saveVote({ term: 3, votedFor: null, committed: false }));
    expect((await bench.reopen()).storage.readVote()).toStrictEqual({
      term: 3,
      votedFor: null,
      committed: false,
    });
    const again = await bench.reopen();
    await bench.run(again.storage.saveVote({ term: 3, votedFor: 5, committed: true }));
    const { storage: third } = await bench.reopen();
    expect(third.readVote()).toStrictEqual({ term: 3, votedFor: 5, committed: true });
    expect(third.readIdentity()).toStrictEqual(identity);
  });

  test("follow on what was promised, or change nothing", async () => {
    const bench = new Bench();
    const { storage } = await bench.open();
    await bench.run(storage.saveIdentity({ clusterId: "c", nodeId: 1, incarnation: 1 }));
    await expect(storage.saveIdentity({ clusterId: "d", nodeId: 1, incarnation: 2 })).rejects.toThrow(
      "storage failed to save identity: this store has one already",
    );
    await bench.run(storage.saveVote({ term: 3, votedFor: 2, committed: false }));
    await expect(storage.saveVote({ term: 3, votedFor: 1, committed: false })).rejects.toThrow(
      "storage failed to save vote: T3:n1 may not follow T3:n2",
    );
    expect(storage.readVote()).toStrictEqual({ term: 3, votedFor: 2, committed: false });
    await bench.run(storage.saveVote({ term: 4, votedFor: 1, committed: false }));
  });

  test("are never durable before entries that were appended earlier", async () => {
    const bench = new Bench();
    const { storage } = await bench.open();
    let isDurable = false;
    const appending = storage.append([entry(1, 1, "one")], () => {
      isDurable = true;
    });
    await bench.run(Promise.resolve(appending));
    expect(isDurable).toBe(false);
    const durableAtWrite: boolean[] = [];
    bench.disk.onOperation = ({ file }) => {
      if (file === "vote.tmp") durableAtWrite.push(isDurable);
    };
    await bench.run(storage.saveVote({ term: 2, votedFor: null, committed: false }));
    expect(durableAtWrite).not.toContain(false);
    expect(durableAtWrite.length).toBeGreaterThan(0);
  });

  test("go to the disk in the order that a crash cannot spoil", async () => {
    const bench = new Bench();
    const { storage } = await bench.open();
    const seen = await operations(bench, () =>
      bench.run(storage.saveVote({ term: 2, votedFor: 1, committed: false })),
    );
    expect(seen).toStrictEqual(["write vote.tmp", "sync vote.tmp", "rename vote.tmp", "sync directory"]);
  });
});

describe("append", () => {
  test("lets entries of every kind be read at once, and after a restart", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const nodes = new Map([
      [1, { addr: "a" }],
      [2, { addr: "b" }],
    ]);
    const membership = { configs: [[1], [2]], nodes, leaving: [1], incarnations: new Map([[2, 9]]) };
    const session = { sessionId: 1, sequence: 2, answeredBelow: 1 };
    const entries: LogEntry<string>[] = [
      { logId: { term: 0, index: 1 }, payload: { type: "membership", membership } },
      { logId: { term: 1, index: 2 }, payload: { type: "blank" } },
      { logId: { term: 1, index: 3 }, payload: { type: "openSession", expiresAfter: 100 } },
      { logId: { term: 1, index: 4 }, payload: { type: "normal", data: "command", session } },
      { logId: { term: 7, index: 5 }, payload: { type: "normal", data: "" } },
    ];
    let isDurable = false;
    await bench.run(
      Promise.resolve(
        store.storage.append(entries, () => {
          isDurable = true;
        }),
      ),
    );
    expect(isDurable).toBe(false);
    expect(await readAll(store)).toStrictEqual(entries);
    await bench.clock.advance(1000);
    expect(isDurable).toBe(true);
    expect(await readAll(await bench.reopen())).toStrictEqual(entries);
  });

  test("serves all that wait with one sync, and writes nothing while one is under way", async () => {
    const bench = new Bench();
    const { storage } = await bench.open(10_000);
    const done: number[] = [];
    const seen = await operations(bench, async () => {
      await bench.run(Promise.resolve(storage.append([entry(1, 1, "first")], () => done.push(1))));
      for (let index = 2; index <= 9; index++) {
        void storage.append([entry(1, index, "x")], () => done.push(index));
      }
      expect(storage.readEntries(1, 9)).toHaveLength(1);
      const waiting = await storage.readEntries(2, 9);
      expect(waiting.map(({ logId }) => logId.index)).toStrictEqual([2, 3, 4, 5, 6, 7, 8, 9]);
      await bench.clock.advance(1000);
    });
    expect(done).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const file = segmentFile(1);
    expect(seen.filter((operation) => !operation.startsWith("read"))).toStrictEqual([
      `write ${file}`,
      `sync ${file}`,
      "sync directory",
      `write ${file}`,
      `sync ${file}`,
      `write ${file}`,
      `sync ${file}`,
    ]);
  });

  test("completes only once the entries are durable", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const bench = new Bench(seed);
      const store = await bench.open();
      await bench.append(store, entry(1, 1, "one"));
      bench.disk.hang();
      let completed = false;
      void store.storage.append([entry(1, 2, "two")], () => {
        completed = true;
      });
      await bench.clock.advance(10_000);
      expect(completed).toBe(false);
      bench.disk.release();
      await bench.clock.advance(0);
      expect(completed).toBe(true);
      expect(await indexes(await bench.reopen())).toStrictEqual([1, 2]);
    }
  });

  test("begins a new segment when one is full, once that is durable", async () => {
    const bench = new Bench();
    const store = await bench.open(100);
    for (let index = 1; index <= 20; index++) await bench.append(store, entry(1, index, "0123456789"));
    const files = (await bench.disk.list()).filter((file) => file.startsWith("log-"));
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) expect(await bench.disk.size(file)).toBeLessThan(200);
    const seen = await operations(bench, async () => {
      for (let index = 21; index <= 24; index++) {
        await bench.run(Promise.resolve(store.storage.append([entry(1, index, "0123456789")], () => {})));
      }
    });
    const next = segmentFile(files.length + 1);
    expect(seen.indexOf(`sync ${files.at(-1)}`)).toBeLessThan(seen.indexOf(`write ${next}`));
    expect(seen.indexOf(`write ${next}`)).toBeLessThan(seen.indexOf(`sync ${next}`));
    expect(seen.indexOf(`sync ${next}`)).toBeLessThan(seen.indexOf("sync directory"));
    await bench.clock.advance(1000);
    expect(await indexes(await bench.reopen())).toHaveLength(24);
  });

  test("refuses what does not follow on the log, and changes nothing", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await bench.append(store, entry(2, 1, "one"));
    const refused = [
      [],
      [entry(2, 3, "hole")],
      [entry(2, 1, "again")],
      [entry(1, 2, "older")],
      [entry(2, 2, "x"), entry(2, 4, "y")],
    ];
    for (const entries of refused) {
      expect(() => store.storage.append(entries, () => {})).toThrow(StorageError);
    }
    expect(await indexes(store)).toStrictEqual([1]);
    await bench.append(store, entry(2, 2, "two"));
  });
});

describe("readEntries", () => {
  test("gives a beginning of what was asked for, at least one, and nothing that is not there", async () => {
    const bench = new Bench();
    const store = await bench.open(100_000_000);
    const long = "x".repeat(100_000);
    await bench.append(
      store,
      entry(1, 1, long),
      entry(1, 2, long),
      entry(1, 3, long),
      entry(1, 4, "y".repeat(300_000)),
    );
    expect(store.storage.readEntries(1, 4)).toHaveLength(2);
    expect(store.storage.readEntries(4, 4)).toHaveLength(1);
    await bench.run(Promise.resolve(store.storage.purge({ term: 1, index: 1 })));
    for (const [since, upto] of [
      [1, 2],
      [2, 5],
      [5, 5],
      [0, 1],
    ] as const) {
      expect(() => store.storage.readEntries(since, upto)).toThrow(/the log holds those after 1 up to 4/);
    }
  });

  test("fails when the disk does, and can be tried again", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await bench.append(store, entry(1, 1, "one"));
    bench.disk.failNext("read");
    expect(() => store.storage.readEntries(1, 1)).toThrow(
      "storage failed to read log: the disk failed to read log-000000000001: EIO",
    );
    expect(store.storage.readEntries(1, 1)).toHaveLength(1);
  });
});

describe("truncate", () => {
  test("is durable once it returns, and what is appended instead stands", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const bench = new Bench(seed);
      const store = await bench.open(120);
      for (let index = 1; index <= 8; index++) await bench.append(store, entry(1, index, "old"));
      await bench.run(store.storage.truncate(4));
      expect(await indexes(store)).toStrictEqual([1, 2, 3]);
      const again = await bench.reopen();
      expect(again.storage.readLogState().lastLogId).toStrictEqual({ term: 1, index: 3 });
      await bench.append(again, entry(2, 4, "new"));
      const entries = await readAll(await bench.reopen());
      expect(entries.map(({ logId }) => logId.term)).toStrictEqual([1, 1, 1, 2]);
    }
  });

  test("past the end changes nothing; before what was purged it is refused", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await bench.append(store, entry(1, 1, "one"), entry(1, 2, "two"));
    await bench.run(store.storage.purge({ term: 1, index: 1 }));
    expect(await operations(bench, () => store.storage.truncate(3))).toStrictEqual([]);
    await expect(store.storage.truncate(1)).rejects.toThrow(
      "it begins at entry 1, but the log was purged up to 1",
    );
    await expect(store.storage.truncate(-1)).rejects.toThrow(InvalidValueError);
    await bench.run(store.storage.truncate(2));
    expect(store.storage.readLogState().lastLogId).toStrictEqual({ term: 1, index: 1 });
  });
});

describe("purge", () => {
  async function filled(count: number, segmentBytes = 100): Promise<[Bench, SimStorage<Types>]> {
    const bench = new Bench();
    const store = await bench.open(segmentBytes);
    for (let index = 1; index <= count; index++) await bench.append(store, entry(1, index, "0123456789"));
    return [bench, store];
  }
  const segments = async (bench: Bench): Promise<number> =>
    (await bench.disk.list()).filter((file) => file.startsWith("log-")).length;

  test("removes whole segments, and is remembered", async () => {
    const [bench, store] = await filled(20);
    const before = await segments(bench);
    await bench.run(store.storage.purge({ term: 1, index: 15 }));
    expect(await segments(bench)).toBeLessThan(before / 2);
    expect(await indexes(store)).toStrictEqual([16, 17, 18, 19, 20]);
    const again = await bench.reopen();
    expect(again.storage.readLogState().lastPurgedLogId).toStrictEqual({ term: 1, index: 15 });
    expect(await indexes(again)).toStrictEqual([16, 17, 18, 19, 20]);
    await bench.append(again, entry(1, 21, "more"));
  });

  test("up to the end and past it leaves an empty log that goes on after it", async () => {
    for (const upto of [20, 50]) {
      const [bench, store] = await filled(20);
      await bench.run(
        store.storage
          .purge({ term: 3, index: upto })
          .catch(() => store.storage.purge({ term: 1, index: upto })),
      );
      expect(await segments(bench)).toBe(0);
      const term = upto === 20 ? 1 : 3;
      const again = await bench.reopen();
      const last: LogId = { term, index: upto };
      expect(again.storage.readLogState()).toStrictEqual({ lastPurgedLogId: last, lastLogId: last });
      await bench.append(again, entry(3, upto + 1, "next"));
      expect(await indexes(await bench.reopen())).toStrictEqual([upto + 1]);
    }
  });

  test("of what is purged already changes nothing; of another entry than there is, it is refused", async () => {
    const [bench, store] = await filled(5);
    await bench.run(store.storage.purge({ term: 1, index: 3 }));
    for (const index of [0, 2, 3]) {
      expect(await operations(bench, () => store.storage.purge({ term: 1, index }))).toStrictEqual([]);
    }
    await expect(store.storage.purge({ term: 2, index: 4 })).rejects.toThrow(
      "it ends at 2-4, but the log holds 1-4",
    );
    await expect(store.storage.purge({ term: 1, index: 0.5 })).rejects.toThrow(InvalidValueError);
    expect(await indexes(store)).toStrictEqual([4, 5]);
  });

  test("keeps what a truncation cut out of reach: later segments may follow on it", async () => {
    const [bench, store] = await filled(12);
    await bench.run(store.storage.truncate(5));
    await bench.append(store, entry(2, 5, "new"), entry(2, 6, "new"));
    await bench.run(store.storage.purge({ term: 1, index: 4 }));
    expect(await indexes(await bench.reopen())).toStrictEqual([5, 6]);
  });

  test("is durable before a segment goes", async () => {
    const [bench, store] = await filled(20);
    const seen = await operations(bench, () => bench.run(store.storage.purge({ term: 1, index: 15 })));
    expect(seen.slice(0, 4)).toStrictEqual([
      "write purged.tmp",
      "sync purged.tmp",
      "rename purged.tmp",
      "sync directory",
    ]);
    expect(seen.slice(4).every((operation) => operation.startsWith("remove log-"))).toBe(true);
  });
});

describe("the committed hint", () => {
  test("is not synced, and is there after a crash of the process", async () => {
    const bench = new Bench();
    const { storage } = await bench.open();
    const seen = await operations(bench, async () => {
      await storage.saveCommitted({ term: 2, index: 7 });
    });
    expect(seen).toStrictEqual(["write committed"]);
    expect(storage.readCommitted()).toStrictEqual({ term: 2, index: 7 });
    expect((await bench.reopen("process")).storage.readCommitted()).toStrictEqual({ term: 2, index: 7 });
  });
});

describe("a disk that fails", () => {
  const saves: readonly (readonly [string, DiskVerb, (store: SimStorage<Types>) => Promise<unknown>])[] = [
    ["an append whose sync fails", "sync", (store) => appended(store, entry(1, 3, "three"))],
    ["an append whose write fails", "write", (store) => appended(store, entry(1, 3, "three"))],
    ["a truncation whose sync fails", "sync", (store) => store.storage.truncate(2)],
    [
      "a vote whose write fails",
      "write",
      (store) => store.storage.saveVote({ term: 5, votedFor: 1, committed: false }),
    ],
    [
      "a vote whose sync fails",
      "sync",
      (store) => store.storage.saveVote({ term: 5, votedFor: 1, committed: false }),
    ],
    [
      "a vote whose rename fails",
      "rename",
      (store) => store.storage.saveVote({ term: 5, votedFor: 1, committed: false }),
    ],
    [
      "a vote whose directory cannot be synced",
      "sync directory",
      (store) => store.storage.saveVote({ term: 5, votedFor: 1, committed: false }),
    ],
    [
      "a purge whose segments cannot be removed",
      "remove",
      (store) => store.storage.purge({ term: 1, index: 2 }),
    ],
  ];

  test.for(saves)("ends the store with %s: every later call fails", async ([, verb, save]) => {
    const bench = new Bench();
    const store = await bench.open();
    await bench.append(store, entry(1, 1, "one"), entry(1, 2, "two"));
    bench.disk.failNext(verb);
    const error: unknown = await bench.run(save(store)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StorageError);
    expect((error as StorageError).cause).toMatchObject({ name: "DiskError", code: "EIO" });
    const { storage, stateMachine } = store;
    const later: (() => unknown)[] = [
      () => storage.readIdentity(),
      () => storage.readVote(),
      () => storage.readLogState(),
      () => storage.readEntries(1, 1),
      () => storage.append([entry(9, 3, "x")], () => {}),
      () => storage.truncate(2),
      () => storage.purge({ term: 1, index: 1 }),
      () => storage.saveVote({ term: 9, votedFor: null, committed: false }),
      () => storage.saveIdentity({ clusterId: "c", nodeId: 1, incarnation: 1 }),
      () => storage.saveCommitted({ term: 1, index: 1 }),
      () => storage.readCommitted(),
      () => stateMachine.readAppliedState(),
      () => stateMachine.apply([entry(1, 1, "x")]),
      () => stateMachine.readCurrentSnapshot(),
      () => stateMachine.snapshotBuilder(),
      () =>
        stateMachine.receiveSnapshot(
          {
            lastLogId: ZERO_LOG_ID,
            lastMembership: stateMachine.readAppliedState().lastMembership,
            snapshotId: "",
          },
          1,
        ),
    ];
    for (const call of later) {
      await expect(bench.run(Promise.resolve().then(call)), String(call)).rejects.toThrow(
        /the store failed before: storage failed to/,
      );
    }
    // Whatever became of the write, the next life is sound.
    const found = (await indexes(await bench.reopen())).join();
    expect(["1,2", "1,2,3", "1", ""]).toContain(found);
  });

  test("ends all appends that wait with the same sync, once each, and none that came before", async () => {
    const bench = new Bench();
    const { storage } = await bench.open(10_000);
    const outcomes: string[] = [];
    const note = (name: string) => (error: Error | null) =>
      outcomes.push(`${name} ${error === null ? "done" : "failed"}`);
    await bench.run(Promise.resolve(storage.append([entry(1, 1, "1")], note("a"))));
    // The sync for the first one is under way; the next one is for the two others.
    bench.disk.failNext("sync");
    void storage.append([entry(1, 2, "2")], note("b"));
    void storage.append([entry(1, 3, "3")], note("c"));
    await bench.clock.advance(1000);
    expect(outcomes).toStrictEqual(["a done", "b failed", "c failed"]);
  });

  test("leaves room for a short write: the rest is written", async () => {
    const bench = new Bench(1, { shortWriteRate: 1 });
    const store = await bench.open();
    await bench.append(store, entry(1, 1, "a long command, written a piece at a time"));
    expect(bench.disk.counts.shortWrite).toBeGreaterThan(3);
    expect(await indexes(await bench.reopen())).toStrictEqual([1]);
  });

  test("is noticed where it puts a write elsewhere, before anybody counts on it", async () => {
    let noticed = 0;
    for (let seed = 0; seed < 20; seed++) {
      const bench = new Bench(seed);
      const store = await bench.open();
      await bench.append(store, entry(1, 1, "one"));
      bench.disk.setFaults({ misdirectedWriteRate: 1 });
      const outcome = await bench
        .append(store, entry(1, 2, "two"))
        .catch((thrown: unknown) => String(thrown));
      if (outcome !== undefined) {
        noticed += 1;
        expect(outcome).toMatch(/has \d+ bytes, but \d+ were written/);
        continue;
      }
      // Now and then chance puts it where it belongs.
      bench.disk.setFaults({ misdirectedWriteRate: 0 });
      expect(await indexes(await bench.reopen())).toStrictEqual([1, 2]);
    }
    expect(noticed).toBeGreaterThan(15);
  });

  test("that is full ends the store, and what was acknowledged is there", async () => {
    const bench = new Bench(1, { capacityBytes: 2000 });
    const store = await bench.open();
    let acknowledged = 0;
    const fill = async (): Promise<void> => {
      for (let index = 1; ; index++) {
        await bench.append(store, entry(1, index, "0123456789"));
        acknowledged = index;
      }
    };
    await expect(fill()).rejects.toThrow(/ENOSPC/);
    expect(acknowledged).toBeGreaterThan(10);
    bench.disk.setFaults({ capacityBytes: 100_000 });
    expect((await indexes(await bench.reopen())).length).toBeGreaterThanOrEqual(acknowledged);
  });

  test("while a store is opened is an error of storage", async () => {
    const bench = new Bench();
    await bench.append(await bench.open(), entry(1, 1, "one"));
    bench.crash();
    bench.disk.failNext("sync directory");
    const opened = openSimStorage<Types>(bench.disk, { codec, stateMachine: new ListMachine() });
    await expect(bench.run(opened)).rejects.toThrow(
      "storage failed to read log: the disk failed to sync directory: EIO",
    );
  });
});

test("what a store found when only its process had died is durable before it says so", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const bench = new Bench(seed, { syncMs: 50 });
    const store = await bench.open(10_000);
    await bench.append(store, entry(1, 1, "one"));
    void store.storage.append([entry(1, 2, "two")], () => {});
    const second = await bench.reopen("process");
    expect(await indexes(second)).toStrictEqual([1, 2]);
    expect(await indexes(await bench.reopen("machine"))).toStrictEqual([1, 2]);
  }
});

test("what a failed sync left in memory alone is written again by the next life", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const bench = new Bench(seed);
    const store = await bench.open(10_000);
    await bench.append(store, entry(1, 1, "one"));
    bench.disk.failNext("sync");
    await expect(bench.append(store, entry(1, 2, "two"))).rejects.toThrow(/EIO/);
    const second = await bench.reopen("process");
    expect(await indexes(second)).toStrictEqual([1, 2]);
    expect(await indexes(await bench.reopen("machine"))).toStrictEqual([1, 2]);
  }
});

test("which files a store found when only its process had died is durable before it counts on them", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const bench = new Bench(seed);
    const store = await bench.open(100);
    for (let index = 1; index <= 8; index++) await bench.append(store, entry(1, index, "0123456789"));
    // The process dies when the mark of the purge has its name, and the directory is not synced yet.
    let died = false;
    bench.disk.onOperation = ({ verb }) => {
      if (verb !== "sync directory") return;
      died = true;
      bench.disk.crash("process");
    };
    void store.storage.purge({ term: 1, index: 6 });
    await bench.clock.runUntil("the process to die", () => died, 10_000);
    bench.disk.onOperation = null;
    bench.disk = bench.disk.reopen();
    const second = await bench.open();
    expect(await indexes(second)).toStrictEqual([7, 8]);
    expect(await indexes(await bench.reopen("machine"))).toStrictEqual([7, 8]);
  }
});
