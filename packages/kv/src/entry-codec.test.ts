import { CodecError } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EntryPart, KvEntry } from "./entry.js";
import { decodeKvEntry, encodeKvEntry, partBytes } from "./entry-codec.js";
import { KvStateMachine } from "./kv-state-machine.js";

const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(new Uint8Array(300).fill(9)));
const args = fc.array(bytes, { minLength: 1, maxLength: 6 });
const safe = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32, Number.MAX_SAFE_INTEGER));
const part: fc.Arbitrary<EntryPart> = fc.oneof(
  fc.record({ type: fc.constant("command" as const), args }),
  fc.record({
    type: fc.constant("transaction" as const),
    watched: fc.array(fc.record({ key: bytes, version: safe }), { maxLength: 3 }),
    commands: fc.array(args, { maxLength: 4 }),
  }),
  fc.record({
    type: fc.constant("config" as const),
    config: fc.constantFrom(
      {},
      { maxKeyBytes: 1 },
      { maxValueBytes: 9, maxMemoryBytes: 0 },
      { maxMemoryBytes: 2 ** 53 - 1 },
    ),
  }),
);
const entry: fc.Arbitrary<KvEntry> = fc.record({
  timeMs: safe,
  seed: safe,
  parts: fc.array(part, { maxLength: 5 }),
});
const comparable = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    one instanceof Uint8Array ? Buffer.from(one).toString("hex") : one,
  );

describe("entries", () => {
  test("are read as they were written", () => {
    fc.assert(
      fc.property(entry, (one) => {
        expect(comparable(decodeKvEntry(encodeKvEntry(one)))).toBe(comparable({ ...one, isBounded: true }));
      }),
    );
  });

  test("take as many bytes as is said of their parts", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const size = parts.reduce((sum, one) => sum + partBytes(one), 0);
        expect(encodeKvEntry({ timeMs: 1, seed: 2, parts }).length).toBe(18 + size);
      }),
    );
  });

  test("of a hundred parts and more have their number in two bytes", () => {
    const parts = Array.from({ length: 300 }, (): EntryPart => ({
      type: "command",
      args: [new Uint8Array(1)],
    }));
    const written = encodeKvEntry({ timeMs: 1, seed: 2, parts });
    expect([written.length, decodeKvEntry(written).parts.length]).toEqual([19 + 300 * 4, 300]);
  });

  test("that are cut off or go on are refused", () => {
    fc.assert(
      fc.property(entry, fc.nat(), (one, at) => {
        const written = encodeKvEntry(one);
        expect(() => decodeKvEntry(written.subarray(0, at % written.length))).toThrow(CodecError);
        expect(() => decodeKvEntry(new Uint8Array(Buffer.concat([written, Buffer.alloc(1)])))).toThrow(
          CodecError,
        );
      }),
    );
  });

  test("that are changed are refused or are others: nothing else is thrown, and nothing is reserved for what is not there", () => {
    fc.assert(
      fc.property(entry, fc.nat(), fc.nat(255), (one, at, byte) => {
        const written = encodeKvEntry(one);
        written[at % written.length] = byte;
        try {
          const read = decodeKvEntry(written);
          // There is one way to write an entry, in each of the versions that are read.
          const again = encodeKvEntry(read);
          if (!read.isBounded) again[0] = 1;
          expect(Buffer.compare(again, written)).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
      { numRuns: 500, examples: [[{ timeMs: 0, seed: 0, parts: [] }, 0, 1]] },
    );
  });

  const head = [1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6];
  test.each([
    ["another version", [3, ...head.slice(1), 0], "version 3"],
    ["a part of an unknown kind", [...head, 1, 9, 0], "a part of kind 9"],
    ["a command of no arguments", [...head, 1, 1, 0], "no arguments"],
    ["a count in more bytes than it needs", [...head, 0x80, 0], "more bytes than it needs"],
    ["a count of 40 bits", [...head, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "35 bits"],
    ["more parts than there is room for", [...head, 0xff, 0xff, 0xff, 0xff, 0x0f], "4294967295 of something"],
    ["an unknown field", [...head, 1, 3, 1, 9, 0, 0, 0, 0, 0, 0, 0, 1], "field 9"],
    ["a field twice", [...head, 1, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1], "field 0"],
    ["a limit of 0", [...head, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], "maxKeyBytes of 0"],
  ])("with %s are answered with an error, and change nothing", (_, numbers, says) => {
    const machine = new KvStateMachine();
    machine.apply(1, { data: encodeKvEntry({ timeMs: 4, seed: 1, parts: [] }) });
    const { replies } = machine.apply(2, { data: Uint8Array.from(numbers) });
    expect(replies).toEqual([{ type: "error", message: expect.stringContaining(says) as string }]);
    expect(machine.clockMs).toBe(4);
  });

  test.each([
    ["a time that is none", { timeMs: -1, seed: 0, parts: [] }, "entry.timeMs is -1"],
    ["a seed that is none", { timeMs: 1, seed: 0.5, parts: [] }, "entry.seed is 0.5"],
    ["a command of nothing", { timeMs: 1, seed: 0, parts: [{ type: "command", args: [] }] }, "part.args"],
  ] as [string, KvEntry, string][])("with %s are not written", (_, one, says) => {
    expect(() => encodeKvEntry(one)).toThrow(says);
  });

  test("are read into views: what is large is not copied", () => {
    const written = encodeKvEntry({
      timeMs: 1,
      seed: 2,
      parts: [{ type: "command", args: [new Uint8Array(5000)] }],
    });
    const [first] = decodeKvEntry(written).parts;
    expect(first?.type === "command" && first.args[0]?.buffer).toBe(written.buffer);
  });

  test("are not kept by the state: what is in the log may go", () => {
    for (const size of [3, 1023, 1024, 5000]) {
      const machine = new KvStateMachine();
      const utf8 = new TextEncoder();
      const words = [utf8.encode("SET"), utf8.encode("k"), new Uint8Array(size).fill(65)];
      const hash = [
        utf8.encode("HSET"),
        utf8.encode("h"),
        new Uint8Array(size).fill(66),
        new Uint8Array(size).fill(65),
      ];
      const parts = [words, hash].map((args): EntryPart => ({ type: "command", args }));
      // A Buffer, whose slice would share its memory.
      const data = Buffer.from(encodeKvEntry({ timeMs: 1, seed: 1, parts }));
      machine.apply(1, { data });
      data.fill(0xee);
      expect(machine.read([utf8.encode("GET"), utf8.encode("k")], 1)).toEqual(new Uint8Array(size).fill(65));
      expect(machine.read([utf8.encode("HGET"), utf8.encode("h"), new Uint8Array(size).fill(66)], 1)).toEqual(
        new Uint8Array(size).fill(65),
      );
    }
  });
});
