import type { BytesTypeConfig, LogEntry, Request } from "@seshat/common";
import { EntryCodec } from "@seshat/common/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { requestCodec } from "../codec.js";
import type { RocksRecord } from "../native/rocksdb.js";
import { BlockBuilder } from "./block-builder.js";
import { LogBlock } from "./blocks.js";

type Entry = LogEntry<Request>;

const codec = new EntryCodec<BytesTypeConfig>(requestCodec);
const entry = (index: number, bytes = 100): Entry => ({
  logId: { term: 1, index },
  payload: { type: "normal", data: { data: new Uint8Array(bytes).fill(index % 251) } },
});
const entriesFrom = (first: number, count: number, bytes?: number): Entry[] =>
  Array.from({ length: count }, (_, at) => entry(first + at, bytes));

/** Takes what was added. */
function recordsOf(builder: BlockBuilder<BytesTypeConfig>): RocksRecord[] {
  const records: RocksRecord[] = [];
  builder.putInto({ tryPut: (key, value) => void records.push({ key, value: value.slice() }) });
  return records;
}

/** The same, read back. */
function taken(builder: BlockBuilder<BytesTypeConfig>): LogBlock<BytesTypeConfig>[] {
  return recordsOf(builder).map((record) => new LogBlock(record, codec));
}

describe("BlockBuilder", () => {
  test("puts everything of one batch into one block, however many appends it came in", () => {
    const builder = new BlockBuilder(codec);
    for (let index = 1; index <= 300; index++) builder.add([entry(index)]);
    const [block, ...others] = taken(builder);
    expect(others).toEqual([]);
    expect(block?.entries()).toEqual(entriesFrom(1, 300));
    expect([block?.first, block?.last]).toEqual([1, 300]);
  });

  test("ends a block after 512 entries, or 256 KiB", () => {
    const builder = new BlockBuilder(codec);
    builder.add(entriesFrom(1, 1100, 10));
    expect(taken(builder).map(({ first, last }) => [first, last])).toEqual([
      [1, 512],
      [513, 1024],
      [1025, 1100],
    ]);
    builder.add(entriesFrom(1101, 5, 131_072));
    expect(taken(builder).map(({ first, last }) => [first, last])).toEqual([
      [1101, 1102],
      [1103, 1104],
      [1105, 1105],
    ]);
  });

  test("writes a small last block once more, with what comes next, until it has 1 KiB", () => {
    const builder = new BlockBuilder(codec);
    const blocks = new Map<number, LogBlock<BytesTypeConfig>>();
    for (let index = 1; index <= 100; index++) {
      builder.add([entry(index)]);
      const [block, ...others] = taken(builder) as [LogBlock<BytesTypeConfig>];
      expect(others).toEqual([]);
      expect(block.size).toBeLessThan(1024 + 200);
      blocks.set(block.first, block);
    }
    expect(blocks.size).toBeLessThan(15);
    const all = [...blocks.values()].flatMap((block) => block.entries());
    expect(all).toEqual(entriesFrom(1, 100));
  });

  test("begins a block where it was sealed", () => {
    const builder = new BlockBuilder(codec);
    builder.add([entry(1)]);
    taken(builder);
    builder.seal();
    builder.add([entry(2)]);
    expect(taken(builder).map(({ first }) => first)).toEqual([2]);
  });

  test("adds all entries or none: what the codec refuses leaves no trace", () => {
    const bad = {
      logId: { term: 1, index: 703 },
      payload: { type: "normal", data: {} },
    } as unknown as Entry;
    for (const before of [0, 2]) {
      const builder = new BlockBuilder(codec);
      builder.add([entry(99)]);
      taken(builder);
      if (before > 0) builder.add(entriesFrom(100, before));
      const added = entriesFrom(100 + before, 603 - before);
      expect(() => builder.add([...added, bad])).toThrow(TypeError);
      expect(builder.isEmpty).toBe(before === 0);
      builder.add([entry(100 + before)]);
      const [block, ...others] = taken(builder);
      expect(others).toEqual([]);
      expect(block?.entries()).toEqual(entriesFrom(99, before + 2));
    }
  });

  test("keeps what the last block had while the codec refuses what would come next", () => {
    const builder = new BlockBuilder(codec);
    builder.add(entriesFrom(1, 513, 10));
    expect(taken(builder).map(({ first }) => first)).toEqual([1, 513]);
    const bad = { logId: { term: 1, index: 516 }, payload: { type: "normal", data: {} } } as unknown as Entry;
    expect(() => builder.add([...entriesFrom(514, 2, 8100), bad])).toThrow(TypeError);
    builder.add(entriesFrom(514, 1));
    expect(taken(builder).flatMap((block) => block.entries())).toEqual([entry(513, 10), entry(514)]);
  });

  test("writes into the same memory over and over", () => {
    const builder = new BlockBuilder(codec);
    const buffers = new Set<ArrayBufferLike>();
    for (let round = 0; round < 20; round++) {
      builder.add(entriesFrom(1 + 50 * round, 50));
      builder.putInto({ tryPut: (_key, value) => void buffers.add(value.buffer) });
    }
    expect(buffers.size).toBeLessThan(4);
  });
});

describe("LogBlock", () => {
  test("gives any part of its entries", () => {
    const builder = new BlockBuilder(codec);
    builder.add(entriesFrom(10, 40));
    const [block] = taken(builder) as [LogBlock<BytesTypeConfig>];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), (since, upto) => {
        const expected = entriesFrom(10, 40).filter(
          ({ logId }) => logId.index >= since && logId.index <= upto,
        );
        expect(block.entries(since, Math.max(upto, since - 1))).toEqual(expected);
      }),
    );
  });

  test.each<[string, (value: Uint8Array) => Uint8Array, string]>([
    ["of another version", (value) => Uint8Array.of(1, ...value.subarray(1)), "version 1 is unknown"],
    ["of no entries", (value) => value.subarray(0, 1), "a block of no entries"],
    ["that is empty", () => new Uint8Array(0), "version undefined is unknown"],
    ["that is cut short", (value) => value.subarray(0, -1), "an entry"],
    ["under another index", (value) => value, "another entry where 6 has to be"],
  ])("refuses a block %s", (name, spoil, message) => {
    const builder = new BlockBuilder(codec);
    builder.add(entriesFrom(5, 3));
    const [{ key, value }] = recordsOf(builder) as [RocksRecord];
    const spoilt = { key: key.slice(), value: spoil(value) };
    if (name === "under another index") spoilt.key[8] = 6;
    const read = (): unknown => new LogBlock(spoilt, codec).entries();
    expect(read).toThrow(message);
  });
});
