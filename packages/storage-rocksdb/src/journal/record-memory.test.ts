import fc from "fast-check";
import { expect, test } from "vitest";
import type { Fill } from "./operations.js";
import { doOperations } from "./operations.js";
import type { Piece } from "./record-memory.js";
import { RecordMemory } from "./record-memory.js";
import { JournalRecord } from "./record.js";

const MIB = 1_048_576;

function recordOf(memory: RecordMemory, number: number, length: number): JournalRecord {
  const value = new Uint8Array(length).fill(number);
  return new JournalRecord(number, [(batch) => batch.tryPut(Uint8Array.of(number), value)], memory);
}

/** What stands in a record of one value. */
function valueOf({ operations }: JournalRecord): Uint8Array {
  return operations.slice(10);
}

/** A record whose memory may move while it is written. */
function recordOfParts(memory: RecordMemory, number: number, lengths: readonly number[]): JournalRecord {
  const fills = lengths.map((length, at): Fill => {
    const value = new Uint8Array(length).fill(number + at);
    return (batch) => batch.tryPut(Uint8Array.of(number), value);
  });
  return new JournalRecord(number, fills, memory);
}

function expectParts(record: JournalRecord, lengths: readonly number[]): void {
  const found: number[] = [];
  doOperations(record.operations, {
    tryPut: (_key, value) => {
      const byte = (record.number + found.length) & 0xff;
      // Byte by byte takes too long.
      expect(Buffer.compare(value, Buffer.alloc(value.length, byte))).toBe(0);
      found.push(value.length);
    },
    tryDelete: () => expect.unreachable(),
    tryDeleteRange: () => expect.unreachable(),
  });
  expect(found).toEqual(lengths);
}

function written(record: JournalRecord): void {
  record.stands("journal");
  record.stands("tables");
}

test("a record keeps its memory until it stands in the journal and in the tables, whichever comes first and whatever else is written", () => {
  const length = fc.oneof(
    { weight: 4, arbitrary: fc.nat(300) },
    { weight: 3, arbitrary: fc.nat(400_000) },
    { weight: 1, arbitrary: fc.constantFrom(0, MIB - 43, MIB, 2 * MIB) },
  );
  const lengths = fc.array(length, { minLength: 1, maxLength: 4 });
  const step = fc.tuple(fc.constantFrom("write", "written", "journal", "tables"), lengths, fc.nat());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const memory = new RecordMemory();
      const live: { record: JournalRecord; lengths: readonly number[]; places: Set<string> }[] = [];
      let number = 0;
      for (const [what, parts, which] of steps) {
        const at = which % Math.max(live.length, 1);
        const chosen = live[at];
        if (what === "write") {
          number += 1;
          live.push({ record: recordOfParts(memory, number, parts), lengths: parts, places: new Set() });
        } else if (chosen !== undefined) {
          for (const place of ["journal", "tables"] as const) {
            if (what !== "written" && what !== place) continue;
            if (chosen.places.size < 2) chosen.record.stands(place);
            chosen.places.add(place);
          }
          if (chosen.places.size === 2) {
            live.splice(at, 1);
            expect(() => chosen.record.operations).toThrow("its memory may be another's");
            expect(() => chosen.record.sealed(512, 0, 0)).toThrow("its memory may be another's");
          }
        }
        for (const { record, lengths: expected } of live) expectParts(record, expected);
      }
    }),
    { numRuns: 150 },
  );
});

test("a record that stands in one place, however often that is said, keeps its memory", () => {
  for (const place of ["journal", "tables"] as const) {
    const memory = new RecordMemory();
    const record = recordOf(memory, 1, 100);
    record.stands(place);
    record.stands(place);
    recordOf(memory, 2, 100);
    expect(valueOf(record)).toEqual(new Uint8Array(100).fill(1));
  }
});

test("what is left of a piece is not begun anew while a record stands in it", () => {
  const memory = new RecordMemory();
  const first = recordOf(memory, 1, 100);
  written(recordOf(memory, 2, 100));
  recordOf(memory, 3, 100);
  expect(valueOf(first)).toEqual(new Uint8Array(100).fill(1));
});

test("records that come one after the other stand in the same memory", () => {
  const memory = new RecordMemory();
  const first = recordOf(memory, 1, 1000);
  const { buffer } = first.operations;
  written(first);
  for (let number = 2; number < 5000; number++) {
    const record = recordOf(memory, number, 1000);
    expect(record.operations.buffer === buffer).toBe(true);
    written(record);
  }
});

test("of what is not needed any more no more than five pieces are kept, and the rest is freed at once", () => {
  const memory = new RecordMemory();
  const pieces = new Set<Piece>();
  const records = Array.from({ length: 20 }, (_, at) => {
    const record = recordOf(memory, at + 1, 900_000);
    memory.reserve(1, 0);
    pieces.add({ bytes: memory.bytes, records: 0 });
    return record;
  });
  for (const record of records) written(record);
  const kept = [...pieces].reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(kept).toBe(5 * MIB);
});

test("the memory of a large record is freed when it is written", () => {
  const memory = new RecordMemory();
  const record = recordOf(memory, 1, 5 * MIB);
  const { buffer } = record.operations;
  expect(buffer.byteLength).toBeGreaterThan(5 * MIB);
  written(record);
  expect(buffer.byteLength).toBe(0);
  const next = recordOf(memory, 2, 100);
  expect(next.operations.buffer.byteLength).toBe(MIB);
});

test("a record whose operations cannot be written down takes no memory", () => {
  const memory = new RecordMemory();
  const before = recordOf(memory, 1, 100);
  const fail = (): never => {
    throw new Error("no");
  };
  expect(() => new JournalRecord(2, [(batch) => batch.tryDelete(Uint8Array.of(9)), fail], memory)).toThrow(
    "no",
  );
  const after = recordOf(memory, 2, 100);
  expect(valueOf(before)).toEqual(new Uint8Array(100).fill(1));
  expect(valueOf(after)).toEqual(new Uint8Array(100).fill(2));
  expect(after.operations.byteOffset - before.operations.byteOffset).toBe(before.size);
});
