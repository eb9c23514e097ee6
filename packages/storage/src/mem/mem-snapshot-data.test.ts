import { CodecError, InvalidValueError } from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allBytes, contentOf, utf8 } from "../../test/helpers.js";
import { MemSnapshotData } from "./mem-snapshot-data.js";

describe("snapshot content in memory", () => {
  test("reads the same bytes from any offset, however it was cut", async () => {
    const content = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(content, fc.nat(60), async (chunks, at) => {
        const whole = await allBytes(chunks);
        const offset = Math.min(at, whole.length);
        const data = await MemSnapshotData.collect(chunks);
        expect(data.size).toBe(whole.length);
        expect(await allBytes(data.read(offset))).toEqual(whole.slice(offset));
      }),
    );
  });

  test("can be read several times at once", async () => {
    const data = await MemSnapshotData.collect([utf8("ab"), utf8("cd")]);
    const [one, other] = await Promise.all([allBytes(data.read(0)), allBytes(data.read(3))]);
    expect(one).toEqual(utf8("abcd"));
    expect(other).toEqual(utf8("d"));
  });

  test("shares no memory with its source, even one that uses the same buffer for every chunk, or with its readers", async () => {
    const buffer = Buffer.alloc(2);
    function* reusing(): Generator<Uint8Array> {
      for (const pair of ["ab", "cd"]) {
        buffer.write(pair);
        yield buffer;
      }
    }
    const data = await MemSnapshotData.collect(reusing());
    for await (const chunk of data.read(0)) chunk.fill(0);
    expect(await allBytes(data.read(0))).toEqual(utf8("abcd"));
  });

  test.each([-1, 5, 1.5, Number.NaN])("an offset of %d is refused by name, at the call", async (offset) => {
    const data = await MemSnapshotData.collect([utf8("abcd")]);
    expect(() => data.read(offset)).toThrow(InvalidValueError);
    expect(() => data.read(offset)).toThrow(/^offset is/);
  });

  test("a copy of content that is shorter than its size says is refused", async () => {
    const copy = MemSnapshotData.copyOf(contentOf(utf8("abcd"), 5));
    await expect(copy).rejects.toThrow("cannot decode snapshot at byte 4: 5 bytes expected, only 4 found");
    await expect(copy).rejects.toBeInstanceOf(CodecError);
  });

  test("a copy of content that never ends stops right after the size it promised", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 4;
        yield utf8("abcd");
      }
    }
    const copy = MemSnapshotData.copyOf({ size: 10, read: endless });
    await expect(copy).rejects.toThrow("at byte 10: 10 bytes expected, more found");
    expect(given).toBe(12);
  });

  test("a copy of content that is in memory already is that content, read by nobody", async () => {
    const data = await MemSnapshotData.collect([utf8("abcd")]);
    let pauses = 0;
    const copy = await MemSnapshotData.copyOf(data, async () => {
      pauses += 1;
    });
    expect(copy).toBe(data);
    expect(pauses).toBe(0);
  });

  test("content that is shared does not change for one holder by what another does with it", async () => {
    const data = await MemSnapshotData.collect([utf8("ab"), utf8("cd")]);
    const copy = await MemSnapshotData.copyOf(data);
    for await (const chunk of copy.read(1)) chunk.fill(0);
    expect(await allBytes(data.read(0))).toEqual(utf8("abcd"));
  });

  test("a content of chunks does not grow with the list that it was made of", async () => {
    const chunks = [utf8("ab"), utf8("c")];
    const data = MemSnapshotData.of(chunks);
    chunks.push(utf8("d"));
    expect(data.size).toBe(3);
    expect(await allBytes(data.read(0))).toEqual(utf8("abc"));
    expect(MemSnapshotData.of([]).size).toBe(0);
  });

  test("a copy of content from elsewhere lets others have their turn after each chunk", async () => {
    let pauses = 0;
    // Three chunks of at most 7 bytes.
    await MemSnapshotData.copyOf(contentOf(utf8("a".repeat(20))), async () => {
      pauses += 1;
    });
    expect(pauses).toBe(3);
  });
});
