import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UnusableStoreError } from "../src/errors.js";
import { nodeIo } from "../src/io/store-io.js";
import type { Extent } from "../src/wal/extent.js";
import { NO_EXTENT } from "../src/wal/extent.js";
import { inspectWals } from "../src/wal/inspect-wals.js";
import { readMarker } from "../src/wal/marker-file.js";
import { readBatches } from "../src/wal/wal-records.js";
import { append, entry, flip, openStore, readAll, wals } from "./store-helpers.js";

let root: string;
/** A store that was killed: its WAL file and its marker, and where the last batch begins. */
let store: string;
let wal: string;
let size: number;
let known: Extent;
let lastBatch: number;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "seshat-bytes-"));
  const dir = join(root, "live");
  const live = await openStore(dir);
  await live.storage.saveIdentity({ clusterId: "blue", nodeId: 1, incarnation: 5 });
  await live.storage.saveVote({ term: 1, votedFor: 1, committed: true });
  for (let index = 1; index <= 4; index++) await append(live, entry(index, 40));
  store = join(root, "killed");
  cpSync(dir, store, { recursive: true });
  await live.close();
  mkdirSync(join(root, "db"));
  [wal] = wals(store) as [string];
  const bytes = readFileSync(wal);
  size = bytes.length;
  known = (await readMarker(join(store, "seshat.store")))?.extent as Extent;
  lastBatch = [...readBatches(bytes)].at(-1)?.start as number;
});

afterEach(() => rmSync(root, { recursive: true }));

/** What the WAL file alone says, after a change of it. */
async function inspect(extent: Extent, change: (bytes: Buffer) => Uint8Array): Promise<string> {
  const path = join(root, "db", "000004.log");
  writeFileSync(path, change(readFileSync(wal)));
  try {
    const { cutBytes } = await inspectWals(join(root, "db"), extent, nodeIo);
    return cutBytes === 0 ? "whole" : `cut at ${statSync(path).size}`;
  } catch (error) {
    if (!(error instanceof UnusableStoreError)) throw error;
    expect(error).toMatchObject({ reason: "damaged", path });
    return "refused";
  }
}

function changed(bytes: Buffer, at: number, value: number): Buffer {
  bytes[at] = bytes[at] === value ? 0xaa : value;
  return bytes;
}

describe("a small WAL file in which everything is synced", () => {
  test("is whole as it is, and the marker knows its size", async () => {
    expect(await inspect(known, (bytes) => bytes)).toBe("whole");
    expect(known.size).toBe(size);
  });

  test("any one bit is changed, and the marker is there: refused, whichever it is", async () => {
    for (let at = 0; at < size; at++) {
      const found = await inspect(known, (bytes) => changed(bytes, at, (bytes[at] as number) ^ 0x40));
      expect(found, `byte ${at}`).toBe("refused");
    }
  });

  test("any one byte is changed, and the power took what the marker said: refused all the same", async () => {
    for (let at = 0; at < size; at++) {
      for (const value of [0, 0xff]) {
        const found = await inspect(NO_EXTENT, (bytes) => changed(bytes, at, value));
        expect(found, `byte ${at} to ${value}`).toBe("refused");
      }
    }
  });

  test("it is cut short anywhere, and the marker is there: refused", async () => {
    for (let length = 0; length < size; length++) {
      expect(await inspect(known, (bytes) => bytes.subarray(0, length)), `${length} bytes`).toBe("refused");
    }
  });

  test("the last batch is cut short, and nothing says that it was synced: it is cut off, and nothing else is", async () => {
    for (let length = lastBatch + 1; length < size; length++) {
      const found = await inspect(NO_EXTENT, (bytes) => bytes.subarray(0, length));
      expect(found, `${length} bytes`).toBe(`cut at ${lastBatch}`);
    }
  });

  test("the end of the last batch is zeros, as a power failure leaves it: cut off where nothing says that it was synced, refused where the marker does", async () => {
    // The file grew, and the sectors of what was written last never came.
    const zeros = (bytes: Buffer): Buffer =>
      Buffer.concat([bytes.subarray(0, lastBatch), Buffer.alloc(2048)]);
    expect(await inspect(NO_EXTENT, zeros)).toBe(`cut at ${lastBatch}`);
    expect(await inspect(known, zeros)).toBe("refused");
  });

  test("opened by the store itself, a byte in each part of a batch: refused, and opened again once it is as it was", async () => {
    for (const at of [0, 4, 6, 9, 25, lastBatch, lastBatch + 5, lastBatch + 60, size - 1]) {
      flip(wal, at);
      await expect(openStore(store), `byte ${at}`).rejects.toMatchObject({ reason: "damaged", path: wal });
      flip(wal, at);
    }
    const again = await openStore(store);
    expect(await readAll(again)).toEqual([1, 2, 3, 4].map((index) => entry(index, 40)));
    await again.close();
  });
});

describe("the marker", () => {
  test("any one bit of what it says is changed: refused, or the other extent is taken, which says less and never more", async () => {
    const path = join(store, "seshat.store");
    const bytes = readFileSync(path);
    const parts = [
      [0, 11],
      [512, 540],
      [1024, 1052],
    ] as const;
    for (const [from, to] of parts) {
      for (let at = from; at < to; at++) {
        flip(path, at);
        const found = await readMarker(path).catch((error: unknown) => error);
        if (found instanceof UnusableStoreError) expect(["damaged", "unknown"]).toContain(found.reason);
        else {
          expect(from).toBeGreaterThan(0);
          const { extent } = found as { extent: Extent };
          expect(extent.batches).toBeLessThanOrEqual(known.batches);
        }
        writeFileSync(path, bytes);
      }
    }
  });

  test("both extents damaged: refused", async () => {
    const path = join(store, "seshat.store");
    flip(path, 520);
    flip(path, 1030);
    await expect(openStore(store)).rejects.toMatchObject({ reason: "damaged", path });
  });

  test("of another version, or no marker at all: refused as unknown", async () => {
    const path = join(store, "seshat.store");
    const bytes = readFileSync(path);
    bytes[4] = 9;
    writeFileSync(path, bytes);
    await expect(openStore(store)).rejects.toThrow("version 9 of the format is unknown");
    writeFileSync(path, "dear all");
    await expect(openStore(store)).rejects.toMatchObject({ reason: "unknown", path });
  });
});
