import { InvalidValueError, StorageError } from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allBytes, utf8 } from "../../test/helpers.js";
import { MemSnapshotSink } from "./mem-snapshot-sink.js";

describe("a sink in memory", () => {
  test("gives the content that was written, however it was cut", async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(54), async (chunks, at) => {
        const whole = await allBytes(chunks);
        const sink = new MemSnapshotSink(whole.length);
        for (const chunk of chunks) sink.write(chunk);
        const data = sink.finish();
        expect(data.size).toBe(whole.length);
        const offset = Math.min(at, whole.length);
        expect(await allBytes(data.read(offset))).toEqual(whole.slice(offset));
      }),
    );
  });

  test("of no bytes is finished without a write", () => {
    expect(new MemSnapshotSink(0).finish().size).toBe(0);
  });

  test("keeps no hold of what it was given: the caller uses its memory again", async () => {
    const sink = new MemSnapshotSink(4);
    const buffer = Buffer.from("ab");
    sink.write(buffer);
    buffer.write("cd");
    sink.write(buffer);
    buffer.fill(0);
    expect(await allBytes(sink.finish().read(0))).toEqual(utf8("abcd"));
  });

  test("takes no byte more than was announced, and what it had before stands", async () => {
    const sink = new MemSnapshotSink(5);
    sink.write(utf8("abc"));
    expect(() => sink.write(utf8("def"))).toThrow(StorageError);
    expect(() => sink.write(utf8("def"))).toThrow("storage failed to receive snapshot: 6 bytes came of 5");
    sink.write(utf8("de"));
    expect(() => sink.write(utf8("f"))).toThrow("6 bytes came of 5");
    expect(await allBytes(sink.finish().read(0))).toEqual(utf8("abcde"));
  });

  test("is not finished while something is missing, and can be once it has come", async () => {
    const sink = new MemSnapshotSink(4);
    sink.write(utf8("abc"));
    expect(() => sink.finish()).toThrow(StorageError);
    expect(() => sink.finish()).toThrow("storage failed to receive snapshot: only 3 bytes came of 4");
    sink.write(utf8("d"));
    expect(await allBytes(sink.finish().read(0))).toEqual(utf8("abcd"));
  });

  test.each(["write", "finish"] as const)(
    "lets no %s follow on the end, and the content does not change",
    async (call) => {
      const finished = new MemSnapshotSink(2);
      finished.write(utf8("ab"));
      const data = finished.finish();
      const discarded = new MemSnapshotSink(2);
      discarded.write(utf8("ab"));
      discarded.discard();
      const again = (sink: MemSnapshotSink): unknown =>
        call === "write" ? sink.write(new Uint8Array(0)) : sink.finish();
      expect(() => again(finished)).toThrow("the content was finished, and nothing may follow");
      expect(() => again(discarded)).toThrow("the content was discarded, and nothing may follow");
      expect(() => again(discarded)).toThrow(StorageError);
      expect(await allBytes(data.read(0))).toEqual(utf8("ab"));
    },
  );

  test("discarded after it was finished leaves the content to its holder", async () => {
    const sink = new MemSnapshotSink(2);
    sink.write(utf8("ab"));
    const data = sink.finish();
    sink.discard();
    expect(await allBytes(data.read(0))).toEqual(utf8("ab"));
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "is not opened for %d bytes: whatever came would be within that",
    (size) => {
      expect(() => new MemSnapshotSink(size)).toThrow(InvalidValueError);
      expect(() => new MemSnapshotSink(size)).toThrow(/^size is/);
    },
  );
});
