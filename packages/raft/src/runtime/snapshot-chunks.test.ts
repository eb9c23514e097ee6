import type { SnapshotData } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rejection } from "../../test/support/promises.js";
import { SnapshotChunks } from "./snapshot-chunks.js";

/** A content that its source cuts into pieces of the given lengths, over and over; it notes what is read of it. */
function source(size: number, cuts: readonly number[] = [7]) {
  const log: string[] = [];
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  const data: SnapshotData = {
    size,
    async *read(offset) {
      log.push(`open ${offset}`);
      try {
        for (let at = offset, i = 0; at < size; i++) {
          const length = cuts[i % cuts.length] as number;
          yield bytes.slice(at, at + length);
          at += length;
        }
      } finally {
        log.push("close");
      }
    },
  };
  return { data, bytes, log };
}

describe("the parts of a snapshot", () => {
  test("are of one size but the last, however the source cuts it, and are read once (property)", async () => {
    const cuts = fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 })
      .filter((list) => list.some(Boolean));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(60),
        fc.integer({ min: 1, max: 20 }),
        cuts,
        async (size, chunkBytes, pieces) => {
          const { data, bytes, log } = source(size, pieces);
          const chunks = new SnapshotChunks(data, chunkBytes);
          const read: number[] = [];
          for (let offset = 0; offset < size; offset += chunkBytes) {
            const chunk = await chunks.at(offset);
            expect(chunk.length).toBe(Math.min(chunkBytes, size - offset));
            read.push(...chunk);
          }
          expect(Uint8Array.from(read)).toEqual(bytes);
          expect(await chunks.at(size)).toHaveLength(0);
          await chunks.close();
          expect(log.filter((line) => line.startsWith("open"))).toHaveLength(size === 0 ? 0 : 1);
          expect(log.filter((line) => line === "close")).toHaveLength(size === 0 ? 0 : 1);
        },
      ),
      { numRuns: 80 },
    );
  });

  test("that are asked for again at once are not read again", async () => {
    const { data, log } = source(30);
    const chunks = new SnapshotChunks(data, 10);
    const first = await chunks.at(0);
    expect(await chunks.at(0)).toBe(first);
    await chunks.at(10);
    expect(log).toEqual(["open 0"]);
  });

  test("from elsewhere are read from there, and the source that was read is let go first", async () => {
    const { data, bytes, log } = source(30);
    const chunks = new SnapshotChunks(data, 10);
    await chunks.at(0);
    expect(await chunks.at(17)).toEqual(bytes.slice(17, 27));
    expect(await chunks.at(5)).toEqual(bytes.slice(5, 15));
    expect(await chunks.at(15)).toEqual(bytes.slice(15, 25));
    expect(log).toEqual(["open 0", "close", "open 17", "close", "open 5"]);
    await chunks.close();
    expect(log.at(-1)).toBe("close");
  });

  test("a content that ends before its size is an error that says where", async () => {
    const { data } = source(12);
    const chunks = new SnapshotChunks({ size: 20, read: (offset) => data.read(offset) }, 10);
    await chunks.at(0);
    expect((await rejection(chunks.at(10))).message).toBe("its content ends at byte 12 of 20");
  });

  test("of a content that goes on past its size do not", async () => {
    const { data, bytes } = source(30);
    const chunks = new SnapshotChunks({ size: 15, read: (offset) => data.read(offset) }, 10);
    expect(await chunks.at(10)).toEqual(bytes.slice(10, 15));
    expect(await chunks.at(15)).toHaveLength(0);
  });

  test("are freed once the next one is asked for, where the source gives its chunks away", async () => {
    const { data, bytes } = source(30, [10]);
    const chunks = new SnapshotChunks({ ...data, givesChunksAway: true }, 10);
    const first = await chunks.at(0);
    expect(first).toEqual(bytes.subarray(0, 10));
    expect(await chunks.at(0)).toBe(first);
    expect(first).toHaveLength(10);
    expect(await chunks.at(10)).toEqual(bytes.subarray(10, 20));
    expect(first).toHaveLength(0);
    expect(await chunks.at(20)).toEqual(bytes.subarray(20));
  });

  test("are not freed where the source keeps its chunks, or they are parts of one", async () => {
    const kept = source(30, [10]);
    const keeping = new SnapshotChunks(kept.data, 10);
    const given = source(30, [20]);
    const parts = new SnapshotChunks({ ...given.data, givesChunksAway: true }, 10);
    for (const chunks of [keeping, parts]) {
      const first = await chunks.at(0);
      expect(await chunks.at(10)).toEqual(kept.bytes.subarray(10, 20));
      expect(first).toEqual(kept.bytes.subarray(0, 10));
    }
  });
});
