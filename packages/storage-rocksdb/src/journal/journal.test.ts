import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoreIo } from "../io/store-io.js";
import { nodeIo } from "../io/store-io.js";
import { inspectJournal, recordsToRedo } from "./inspect-journal.js";
import { Journal } from "./journal.js";
import { JournalRecord } from "./record.js";

const SEGMENT_BYTES = 65_536;

let dir: string;
let io: StoreIo;
/** Calls to the file system that change a file, by the name of that. */
let calls: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "seshat-journal-"));
  calls = [];
  const told = (what: string, path: string): void =>
    void calls.push(`${what} ${path.slice(dir.length + 1) || "."}`);
  io = {
    ...nodeIo,
    write: (fd, bytes, offset, path) => {
      told("write", path);
      return nodeIo.write(fd, bytes, offset, path);
    },
    writeDurably: (fd, pieces, offset, path) => {
      told("write durably", path);
      return nodeIo.writeDurably(fd, pieces, offset, path);
    },
    datasync: (fd, path) => {
      told("sync", path);
      return nodeIo.datasync(fd, path);
    },
    rename: (from, to) => {
      told("rename to", to);
      return nodeIo.rename(from, to);
    },
    syncDirectory: (path) => {
      told("sync", path);
      return nodeIo.syncDirectory(path);
    },
    unlink: (path) => {
      told("unlink", path);
      return nodeIo.unlink(path);
    },
  };
});

afterEach(() => rmSync(dir, { recursive: true }));

const record = (number: number, bytes = 100): JournalRecord =>
  new JournalRecord(number, [
    (batch) => batch.tryPut(Uint8Array.of(number), new Uint8Array(bytes).fill(number)),
  ]);
const segment = (sequence: number): string => `segment-${String(sequence).padStart(12, "0")}`;

async function numbersToRedo(stored = 0): Promise<number[]> {
  const report = await inspectJournal(dir, 0, stored);
  const numbers: number[] = [];
  for await (const { number } of recordsToRedo(dir, report, stored)) numbers.push(number);
  return numbers;
}

describe("a journal", () => {
  test("begins with a segment whose zeros and whose name are durable", async () => {
    const journal = await Journal.begin(dir, 7, SEGMENT_BYTES, io);
    const name = segment(7);
    expect(calls).toEqual([
      "write unfinished",
      "write unfinished",
      "sync unfinished",
      `rename to ${name}`,
      "sync .",
    ]);
    expect(statSync(join(dir, name)).size).toBe(SEGMENT_BYTES);
    await journal.close();
  });

  test("writes all records of an append in one call, which makes them durable", async () => {
    const journal = await Journal.begin(dir, 1, SEGMENT_BYTES, io);
    calls = [];
    await journal.append([record(1), record(2), record(3)], 0);
    expect(calls).toEqual([`write durably ${segment(1)}`]);
    await journal.close();
    expect(await numbersToRedo()).toEqual([1, 2, 3]);
  });

  test("has its next segment before it needs it, and never writes past the end of one", async () => {
    const journal = await Journal.begin(dir, 1, SEGMENT_BYTES, io);
    for (let number = 1; number <= 20; number++) await journal.append([record(number, 10_000)], number - 1);
    await journal.close();
    const names = readdirSync(dir).toSorted();
    expect(names.slice(0, 4)).toEqual([1, 2, 3, 4].map(segment));
    for (const name of names) expect(statSync(join(dir, name)).size).toBe(SEGMENT_BYTES);
    expect(calls.indexOf(`rename to ${segment(2)}`)).toBeLessThan(
      calls.indexOf(`write durably ${segment(2)}`),
    );
    expect(await numbersToRedo()).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  test("gives a record that is larger than a segment one of its own", async () => {
    const journal = await Journal.begin(dir, 1, SEGMENT_BYTES, io);
    await journal.append([record(1)], 0);
    await journal.append([record(2, 300_000)], 1);
    await journal.append([record(3)], 2);
    await journal.close();
    expect(calls.filter((call) => call.startsWith("write durably"))).toEqual(
      [1, 2, 3].map((sequence) => `write durably ${segment(sequence)}`),
    );
    expect(await numbersToRedo()).toEqual([1, 2, 3]);
  });

  test("removes the segments of which nothing is needed, the oldest first, and never the one that is written", async () => {
    const journal = await Journal.begin(dir, 1, SEGMENT_BYTES, io);
    for (let number = 1; number <= 20; number++) await journal.append([record(number, 10_000)], number - 1);
    const before = journal.bytes;
    await journal.retire(5);
    expect(calls.filter((call) => call.startsWith("unlink"))).toEqual([]);
    await journal.retire(13);
    expect(calls.filter((call) => call.startsWith("unlink"))).toEqual(
      [1, 2].map((at) => `unlink ${segment(at)}`),
    );
    expect(await numbersToRedo(13)).toEqual([14, 15, 16, 17, 18, 19, 20]);
    await journal.retire(20);
    expect(journal.bytes).toBeLessThan(before);
    expect(readdirSync(dir)).toContain(segment(4));
    await journal.close();
  });

  test("says why its next segment could not be made when it needs it", async () => {
    const journal = await Journal.begin(dir, 1, SEGMENT_BYTES, io);
    io.rename = () => Promise.reject(new Error("no room for names"));
    let failure: unknown = null;
    for (let number = 1; failure === null && number <= 10; number++) {
      await journal.append([record(number, 10_000)], number - 1).catch((error: unknown) => (failure = error));
    }
    expect(failure).toMatchObject({ message: "no room for names" });
    await journal.close();
  });
});
