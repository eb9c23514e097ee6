import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UnusableStoreError } from "../errors.js";
import { nodeIo } from "../io/store-io.js";
import { inspectJournal, recordsToRedo } from "./inspect-journal.js";
import { Journal } from "./journal.js";
import { JournalRecord, readHeader } from "./record.js";
import type { RecordHeader } from "./record.js";
import { readSalt, segmentPath } from "./segment.js";

const SEGMENT_BYTES = 65_536;

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "seshat-inspect-"));
});

afterEach(() => rmSync(dir, { recursive: true }));

/** Writes records 1 to `count`, each when the one before it was durable, or all in one append. */
async function write(count: number, bytes: number, together = false, byte = 7): Promise<void> {
  const journal = await Journal.begin(dir, 1, SEGMENT_BYTES, nodeIo);
  const records = Array.from(
    { length: count },
    (_, at) =>
      new JournalRecord(at + 1, [
        (batch) => batch.tryPut(Uint8Array.of(1), new Uint8Array(bytes).fill(byte)),
      ]),
  );
  if (together) await journal.append(records, 0);
  else for (const record of records) await journal.append([record], record.number - 1);
  await journal.close();
}

/** Where the records of a segment stand. */
function headers(sequence: number): RecordHeader[] {
  const bytes = readFileSync(segmentPath(dir, sequence));
  const salt = readSalt(bytes, sequence);
  const found: RecordHeader[] = [];
  for (let at = 512; ;) {
    const header = readHeader(bytes, at, salt);
    if (header === null) return found;
    found.push(header);
    at = header.end;
  }
}

function change(sequence: number, act: (bytes: Buffer) => Buffer): void {
  const path = segmentPath(dir, sequence);
  writeFileSync(path, act(readFileSync(path)));
}

/** What becomes of it: the numbers to redo, or why it is refused. */
async function outcome(known = 0, stored = 0): Promise<string> {
  try {
    const report = await inspectJournal(dir, known, stored);
    const numbers: number[] = [];
    for await (const { number } of recordsToRedo(dir, report, stored)) numbers.push(number);
    const redo = numbers.length === 0 ? "nothing" : `${numbers[0]} to ${numbers.at(-1)}`;
    return report.cutBytes > 0 ? `${redo}, the rest is cut` : redo;
  } catch (error) {
    if (!(error instanceof UnusableStoreError)) throw error;
    expect(error.reason).toBe("damaged");
    return error.problem;
  }
}

describe("a journal that is whole", () => {
  test("gives what the database lacks, over all segments", async () => {
    await write(30, 10_000);
    expect(await outcome(30)).toBe("1 to 30");
    expect(await outcome(30, 17)).toBe("18 to 30");
    expect(await outcome(30, 30)).toBe("nothing");
  });

  test("counts for nothing where the database is further", async () => {
    await write(30, 10_000);
    expect(await outcome(30, 40)).toBe("nothing");
  });

  test("that ends before what was durable is refused", async () => {
    await write(3, 100);
    expect(await outcome(4)).toBe("records up to 4 were durable, and up to 3 they are there");
  });

  test("that is empty is right for a database that has all, and for no other", async () => {
    expect(await outcome(7, 7)).toBe("nothing");
    expect(await outcome(7, 6)).toBe("records up to 7 were durable, and up to 6 they are there");
  });
});

describe("segments", () => {
  test("the first, or one between, is gone: refused where the database lacks what it held", async () => {
    await write(30, 10_000);
    const last = headers(2).at(-1)?.number as number;
    rmSync(segmentPath(dir, 2));
    expect(await outcome()).toMatch(/record 7 is missing: record 13 follows; records up to 29 were durable/);
    expect(await outcome(30, last)).toBe(`${last + 1} to 30`);
    rmSync(segmentPath(dir, 1));
    expect(await outcome()).toMatch(/record 1 is missing: record 13 follows/);
  });

  test("the last is gone, with everything that told of it: what is left counts", async () => {
    await write(12, 10_000);
    rmSync(segmentPath(dir, 2));
    rmSync(segmentPath(dir, 3));
    expect(await outcome()).toBe("1 to 6");
    expect(await outcome(7)).toBe("records up to 7 were durable, and up to 6 they are there");
  });

  test("two change places: refused", async () => {
    await write(30, 10_000);
    const [second, third] = [2, 3].map((sequence) => readFileSync(segmentPath(dir, sequence))) as [
      Buffer,
      Buffer,
    ];
    change(2, () => third);
    change(3, () => second);
    expect(await outcome()).toMatch(/this is segment 3/);
  });

  test("what another one held is no record of this one", async () => {
    await write(3, 100);
    const [first] = headers(1) as [RecordHeader];
    const old = readFileSync(segmentPath(dir, 1)).subarray(512, first.end);
    rmSync(segmentPath(dir, 1));
    const journal = await Journal.begin(dir, 1, SEGMENT_BYTES, nodeIo);
    await journal.close();
    change(1, (bytes) => bytes.fill(old, 512, 512 + old.length));
    expect(await outcome()).toMatch(/no record begins there/);
  });
});

describe("a power failure during an append of records 4 to 6", () => {
  /** 1 to 3 are durable. */
  async function underWay(bytes: number, byte = 7): Promise<void> {
    const journal = await Journal.begin(dir, 1, SEGMENT_BYTES, nodeIo);
    const record = (number: number): JournalRecord =>
      new JournalRecord(number, [
        (batch) => batch.tryPut(Uint8Array.of(1), new Uint8Array(bytes).fill(byte)),
      ]);
    for (const number of [1, 2, 3]) await journal.append([record(number)], number - 1);
    await journal.append([record(4), record(5), record(6)], 3);
    await journal.close();
  }

  test("any sectors of them never came: what stands before the first of them counts, and nothing is refused", async () => {
    await underWay(2950);
    const [, , third] = headers(1) as [RecordHeader, RecordHeader, RecordHeader];
    const whole = readFileSync(segmentPath(dir, 1));
    const end = headers(1).at(-1)?.end as number;
    for (let sector = third.end - (third.end % 512); sector < end; sector += 512) {
      for (const length of [512, 1024, 4096]) {
        change(1, () => {
          const bytes = Buffer.from(whole);
          return bytes.fill(0, Math.max(sector, third.end), sector + length);
        });
        expect(await outcome(3), `${length} bytes at ${sector}`).toMatch(
          /^1 to [345](?:, the rest is cut)?$/,
        );
      }
    }
  });

  test("a sector never came, and others are zeros and have to be: told apart", async () => {
    await underWay(2950, 0);
    const fourth = headers(1)[3] as RecordHeader;
    expect(fourth.zeroSectors).toBeGreaterThan(3);
    change(1, (bytes) => bytes.fill(0, fourth.end - (fourth.end % 512), fourth.end));
    expect(await outcome(3)).toBe("1 to 3, the rest is cut");
  });

  test("nothing never came, but a byte is not what was written: refused, zeros or not", async () => {
    for (const byte of [7, 0]) {
      await underWay(2950, byte);
      const fourth = headers(1)[3] as RecordHeader;
      change(1, (bytes) => bytes.fill(1, fourth.at + 45, fourth.at + 46));
      expect(await outcome(3)).toMatch(
        /the operations of record 4 are not what was written, and that is not what/,
      );
      rmSync(segmentPath(dir, 1));
    }
  });
});
