import { toByteString } from "@seshat/storage/parts";
import { expect, test } from "vitest";
import { dataKey } from "./key-value-data.js";
import { RecordSlab } from "./record-slab.js";

type Put = readonly [key: Uint8Array, value: Uint8Array];

function putsOf(slab: RecordSlab): Put[] {
  const puts: Put[] = [];
  const batch = {
    tryPut: (key: Uint8Array, value: Uint8Array) => void puts.push([key.slice(), value.slice()]),
  };
  slab.putInto(batch);
  return puts;
}

test("records come out as they went in, whatever their lengths, also when the memory is used again", () => {
  const slab = new RecordSlab(0x0102_0304);
  for (const lengths of [
    [0, 1, 100, 3],
    [70_000, 0, 200_000, 5],
    [1, 1],
  ]) {
    const records = lengths.map((length, at) => {
      const key = toByteString(Uint8Array.from({ length: at + (length % 7) }, (_, unit) => 255 - unit));
      return { key, value: new Uint8Array(length).fill(at + 1) };
    });
    for (const { key, value } of records) slab.add(key, value);
    const expected = records.map(({ key, value }): Put => [dataKey(0x0102_0304, key), value]);
    expect(putsOf(slab)).toEqual(expected);
    expect(slab.bytes).toBe(expected.reduce((sum, [key, value]) => sum + key.length + value.length, 0));
    slab.clear();
    expect(slab.bytes).toBe(0);
    expect(putsOf(slab)).toEqual([]);
  }
});

test("a value is copied: its memory is its giver's again", () => {
  const slab = new RecordSlab(1);
  const value = Uint8Array.of(1, 2, 3);
  slab.add("k", value);
  value.fill(9);
  expect(putsOf(slab)).toEqual([[dataKey(1, "k"), Uint8Array.of(1, 2, 3)]]);
});
