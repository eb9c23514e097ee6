import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UnusableStoreError } from "../src/errors.js";
import { inspectJournal } from "../src/journal/inspect-journal.js";
import { HEADER_BYTES, readHeader } from "../src/journal/record.js";
import { RECORDS_AT, readSalt } from "../src/journal/segment.js";
import type { Marker } from "../src/opening/marker-file.js";
import { readMarker } from "../src/opening/marker-file.js";
import { append, endOf, entry, flip, openStore, readAll, segments } from "./store-helpers.js";

/** Of a segment. */
const SEGMENT_HEADER_BYTES = 21;

let root: string;
/** A store that was killed: the segment of its journal, and where that and its last record end and begin. */
let store: string;
let segment: string;
let end: number;
let known: number;
let lastRecord: number;

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
  mkdirSync(join(root, "journal"));
  [segment] = segments(store) as [string];
  end = endOf(segment);
  known = (await readMarker(join(store, "seshat.store")))?.durable as number;
  const bytes = readFileSync(segment);
  const salt = readSalt(bytes, 1);
  lastRecord = RECORDS_AT;
  for (let at = RECORDS_AT; ;) {
    const header = readHeader(bytes, at, salt);
    if (header === null) break;
    lastRecord = at;
    at = header.end;
  }
});

afterEach(() => rmSync(root, { recursive: true }));

/** What the journal alone says, after a change of it: all records that were durable count, or fewer, or it is refused. */
async function inspect(durable: number, change: (bytes: Buffer) => Uint8Array): Promise<string> {
  const path = join(root, "journal", basename(segment));
  writeFileSync(path, change(readFileSync(segment)));
  try {
    const { last } = await inspectJournal(join(root, "journal"), durable, 0);
    return last === known ? "whole" : `up to record ${last}`;
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

/** Every byte that was written but the zeros behind the header of the segment, which say nothing. */
function* everyByte(): Generator<number> {
  for (let at = 0; at < SEGMENT_HEADER_BYTES; at++) yield at;
  for (let at = RECORDS_AT; at < end; at++) yield at;
}

describe("a small segment in which everything is durable", () => {
  test("is whole as it is, and the marker knows its last record", async () => {
    expect(await inspect(known, (bytes) => bytes)).toBe("whole");
    expect(known).toBe(6);
  });

  test("any one bit is changed, and the marker is there: refused, whichever it is", async () => {
    for (const at of everyByte()) {
      const found = await inspect(known, (bytes) => changed(bytes, at, (bytes[at] as number) ^ 0x40));
      expect(found, `byte ${at}`).toBe("refused");
    }
  });

  test("any one byte is changed, and the power took what the marker said: refused all the same", async () => {
    for (const at of everyByte()) {
      for (const value of [0, 0xff]) {
        const found = await inspect(0, (bytes) => changed(bytes, at, value));
        expect(found, `byte ${at} to ${value}`).toBe("refused");
      }
    }
  });

  test("it is cut short anywhere, and the marker is there: refused", async () => {
    for (let length = 0; length < end; length++) {
      expect(await inspect(known, (bytes) => bytes.subarray(0, length)), `${length} bytes`).toBe("refused");
    }
  });

  test("it ends within the last record, and nothing says that this was durable: it counts no more, and nothing else is lost", async () => {
    for (let length = lastRecord + HEADER_BYTES; length < end; length++) {
      const found = await inspect(0, (bytes) => bytes.subarray(0, length));
      expect(found, `${length} bytes`).toBe(`up to record ${known - 1}`);
    }
  });

  test("the last record is zeros, as a power failure leaves it: it counts no more where nothing says that it was durable, and where the marker does, the store is refused", async () => {
    const zeros = (bytes: Buffer): Buffer => bytes.fill(0, lastRecord);
    expect(await inspect(0, zeros)).toBe(`up to record ${known - 1}`);
    expect(await inspect(known, zeros)).toBe("refused");
  });

  test("opened by the store itself, a byte in each part of a record: refused, and opened again once it is as it was", async () => {
    for (const at of [
      0,
      512,
      516,
      520,
      524,
      528,
      536,
      544,
      lastRecord,
      lastRecord + 5,
      lastRecord + 60,
      end - 1,
    ]) {
      flip(segment, at);
      await expect(openStore(store), `byte ${at}`).rejects.toMatchObject({
        reason: "damaged",
        path: segment,
      });
      flip(segment, at);
    }
    const again = await openStore(store);
    expect(await readAll(again)).toEqual([1, 2, 3, 4].map((index) => entry(index, 40)));
    await again.close();
  });
});

describe("the marker", () => {
  test("any one bit of what it says is changed: refused, or the other one is taken, which says less and never more", async () => {
    const path = join(store, "seshat.store");
    const bytes = readFileSync(path);
    const parts = [
      [0, 11],
      [512, 524],
      [1024, 1036],
    ] as const;
    for (const [from, to] of parts) {
      for (let at = from; at < to; at++) {
        flip(path, at);
        const found = await readMarker(path).catch((error: unknown) => error);
        if (found instanceof UnusableStoreError) expect(["damaged", "unknown"]).toContain(found.reason);
        else {
          expect(from).toBeGreaterThan(0);
          expect((found as Marker).durable).toBeLessThanOrEqual(known);
        }
        writeFileSync(path, bytes);
      }
    }
  });

  test("both slots damaged: refused", async () => {
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
