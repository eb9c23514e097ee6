import { StorageError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { Bench, ListMachine, codec, entry, readAll } from "../../test/sim-storage-fixture.js";
import type { Types } from "../../test/sim-storage-fixture.js";
import { GrowingBytes } from "../disk/growing-bytes.js";
import { segmentFile } from "./log-format.js";
import { DamagedFileError } from "./damaged-file-error.js";
import type { SimStorage } from "./open-sim-storage.js";
import { openSimStorage } from "./open-sim-storage.js";

const noPause = (): Promise<void> => Promise.resolve();

/** A store with a bit of everything: several segments, a truncation, a purge, a vote, a hint, a snapshot. */
async function furnished(): Promise<Bench> {
  const bench = new Bench();
  const store = await bench.open(150);
  const { storage, stateMachine } = store;
  await bench.run(storage.saveIdentity({ clusterId: "c", nodeId: 3, incarnation: 77 }));
  await bench.run(storage.saveVote({ term: 2, votedFor: 3, committed: true }));
  stateMachine.apply([entry(1, 1, "a"), entry(1, 2, "b")]);
  await bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
  for (let index = 1; index <= 6; index++) await bench.append(store, entry(1, index, `entry ${index}`));
  await bench.run(storage.purge({ term: 1, index: 2 }));
  await bench.run(storage.truncate(6));
  await bench.append(store, entry(2, 6, "six"), entry(2, 7, "seven"));
  await storage.saveCommitted({ term: 2, index: 6 });
  return bench;
}

async function contentOf(store: SimStorage<Types>): Promise<string> {
  const { storage, stateMachine } = store;
  const snapshot = stateMachine.readCurrentSnapshot();
  if (snapshot === null) throw new Error("no snapshot");
  await stateMachine.installSnapshot(snapshot, noPause);
  return JSON.stringify([
    storage.readIdentity(),
    storage.readVote(),
    storage.readLogState(),
    await readAll(store),
    snapshot.meta.snapshotId,
    (stateMachine.inner as ListMachine).items,
  ]);
}

describe("damage", () => {
  test("to any byte of what is durable is noticed or does not matter: nothing that was acknowledged goes missing", async () => {
    const intact = await furnished();
    const expected = await intact.run(contentOf(await intact.reopen("process")));
    const files = await intact.disk.list();
    expect(files.length).toBeGreaterThan(6);
    const outcomes = new Map<string, number>();
    for (const file of files) {
      const size = (await intact.disk.size(file)) as number;
      for (let offset = 0; offset < size; offset++) {
        const bench = await furnished();
        bench.crash("process");
        expect(bench.disk.corrupt({ file, offset })).toStrictEqual({ file, offset });
        const outcome = await bench.run(
          openSimStorage<Types>(bench.disk, { codec, stateMachine: new ListMachine() })
            .then(contentOf)
            .catch((thrown: unknown) => thrown),
        );
        if (outcome instanceof Error) {
          expect(outcome, `${file} ${offset}`).toBeInstanceOf(DamagedFileError);
          expect((outcome as DamagedFileError).file, String(outcome)).toBe(file);
          expect((outcome as DamagedFileError).offset).toBeLessThanOrEqual(offset);
          expect(outcome.message).toContain(`${file} is damaged at byte`);
        } else expect(outcome, `${file} ${offset}`).toBe(expected);
        const kind = `${file.replace(/-.*/, "")} ${outcome instanceof Error ? "refused" : "harmless"}`;
        outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      }
    }
    // A hint that cannot be read is none; a seal of the very last record is written again.
    expect([...outcomes.keys()].sort()).toStrictEqual([
      "committed harmless",
      "identity refused",
      "log harmless",
      "log refused",
      "purged refused",
      "snapshot refused",
      "vote refused",
    ]);
    expect(outcomes.get("log harmless")).toBe(8);
  });

  test("to entries is noticed when they are read, too", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await bench.append(store, entry(1, 1, "one"), entry(1, 2, "two"));
    bench.disk.corrupt({ file: segmentFile(1), offset: 33 + 30 });
    expect(() => store.storage.readEntries(1, 2)).toThrow(DamagedFileError);
    expect(() => store.storage.readEntries(1, 2)).toThrow(/log-000000000001 is damaged at byte 33/);
  });

  test("by a cut of what was durable shows against what was said about it when the vote was saved", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await bench.append(store, entry(1, 1, "one"));
    const before = (await bench.disk.size(segmentFile(1))) as number;
    await bench.append(store, entry(1, 2, "two"));
    const vote = bench.run(store.storage.saveVote({ term: 2, votedFor: null, committed: false }));
    await vote;
    await bench.disk.truncate(segmentFile(1), before);
    await bench.run(Promise.resolve(bench.disk.sync(segmentFile(1))));
    await expect(bench.reopen()).rejects.toThrow(
      /log-000000000001 is damaged at byte \d+: the log ends there, but was durable up to byte/,
    );
  });

  test.for(["first", "middle"] as const)("by a missing %s segment is noticed", async (which) => {
    const bench = new Bench();
    const store = await bench.open(60);
    for (let index = 1; index <= 6; index++) await bench.append(store, entry(1, index, "x"));
    const file = segmentFile(which === "first" ? 1 : 2);
    await bench.disk.remove(file);
    await expect(bench.reopen("process")).rejects.toThrow(
      `${file} is damaged at byte 0: there is no such file`,
    );
  });

  test("by one segment in place of another is noticed", async () => {
    const bench = new Bench();
    const store = await bench.open(60);
    for (let index = 1; index <= 6; index++) await bench.append(store, entry(1, index, "x"));
    const size = (await bench.disk.size(segmentFile(2))) as number;
    const bytes = await bench.disk.read(segmentFile(2), 0, size);
    await bench.disk.write(segmentFile(3), 0, bytes);
    await expect(bench.reopen("process")).rejects.toThrow(
      /log-000000000003 is damaged at byte 0: it is segment 2/,
    );
  });
});

test("a whole record that followed on another one than stands before it is not read", async () => {
  const tails: Uint8Array[] = [];
  const benches: Bench[] = [];
  let at = 0;
  for (const text of ["aaa", "bbb"]) {
    const bench = new Bench();
    const store = await bench.open(1000);
    await bench.append(store, entry(1, 1, text));
    at = (await bench.disk.size(segmentFile(1))) as number;
    await bench.append(store, entry(1, 2, "same"));
    tails.push(await bench.disk.read(segmentFile(1), at, 1000));
    benches.push(bench);
  }
  const [, second] = benches as [Bench, Bench];
  await second.disk.write(segmentFile(1), at, tails[0] as Uint8Array);
  await expect(second.reopen("process")).rejects.toMatchObject({ file: segmentFile(1), offset: at });
});

describe("a torn tail", () => {
  /** A store whose last write was cut after `kept` bytes, with `junk` in place of the rest. */
  async function torn(kept: number, junk: Uint8Array): Promise<Bench> {
    const bench = new Bench();
    const store = await bench.open(1000);
    await bench.append(store, entry(1, 1, "one"));
    const file = segmentFile(1);
    const durable = (await bench.disk.size(file)) as number;
    await bench.append(store, entry(1, 2, "two"), entry(1, 3, "three"));
    await bench.disk.truncate(file, durable + kept);
    if (junk.length > 0) await bench.disk.write(file, durable + kept, junk);
    return bench;
  }

  test("is cut off, wherever it is torn and whatever comes after, and what was whole before it stays", async () => {
    // The first of the two records has 41 bytes, the second 43; the last 8 of each are its seal.
    const lengths = [0, 1, 30, 32, 33, 40, 41, 60, 75, 76, 83];
    for (const kept of lengths) {
      for (const junk of [new Uint8Array(0), new Uint8Array(50), new Uint8Array(50).fill(0xa7)]) {
        const bench = await torn(kept, junk);
        const store = await bench.reopen("process");
        const entries = await bench.run(readAll(store));
        const expected = kept < 33 ? [1] : kept < 76 ? [1, 2] : [1, 2, 3];
        expect(
          entries.map(({ logId }) => logId.index),
          `${kept} ${junk.length}`,
        ).toStrictEqual(expected);
        // What is written next stands in its place, and nothing old comes back after it.
        const next = expected.length + 1;
        await bench.append(store, entry(2, next, "next"));
        const again = await bench.run(readAll(await bench.reopen()));
        expect(again.map(({ logId }) => logId.index)).toStrictEqual([...expected, next]);
        expect(again.at(-1)?.logId.term).toBe(2);
      }
    }
  });

  test("is not cut off where whole records follow: they may have been acknowledged", async () => {
    const bench = new Bench();
    const store = await bench.open(1000);
    await bench.append(store, entry(1, 1, "one"));
    const at = (await bench.disk.size(segmentFile(1))) as number;
    await bench.append(store, entry(1, 2, "two"), entry(1, 3, "three"));
    await bench.disk.write(segmentFile(1), at, new Uint8Array(20));
    const error: unknown = await bench.reopen("process").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DamagedFileError);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ file: segmentFile(1), offset: at, verb: "read log", code: "storage" });
  });

  test("of a segment that was just being begun goes with it", async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(33), new Uint8Array(7).fill(3)]) {
      const bench = new Bench();
      const store = await bench.open(1000);
      await bench.append(store, entry(1, 1, "one"));
      await bench.disk.write(segmentFile(2), 0, bytes);
      const again = await bench.reopen("process");
      expect(again.storage.readLogState().lastLogId).toStrictEqual({ term: 1, index: 1 });
      expect(await bench.disk.list()).not.toContain(segmentFile(2));
      await bench.append(again, entry(1, 2, "two"));
    }
  });

  test("before a later segment is damage: that was begun once all before it was durable", async () => {
    const bench = new Bench();
    const store = await bench.open(60);
    await bench.append(store, entry(1, 1, "one"));
    const size = (await bench.disk.size(segmentFile(1))) as number;
    await bench.append(store, entry(1, 2, "two"));
    await bench.disk.truncate(segmentFile(1), size - 1);
    await expect(bench.reopen("process")).rejects.toThrow(/log-000000000001 is damaged at byte 33/);
  });
});

test("bytes that were cut off do not come back when the file grows again", () => {
  const bytes = new GrowingBytes();
  bytes.write(0, Uint8Array.of(1, 2, 3, 4));
  bytes.truncate(1);
  bytes.write(3, Uint8Array.of(9));
  expect(bytes.slice(0, 10)).toStrictEqual(Uint8Array.of(1, 0, 0, 9));
});
