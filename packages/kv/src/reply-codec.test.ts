import { CodecError } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KvResponse, Reply } from "./reply.js";
import { RESPONSE_CODEC } from "./reply-codec.js";

const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4, depthIdentifier: "reply" },
    fc.constant(null),
    fc.maxSafeInteger().map((n) => n + 0),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
    fc.uint8Array(),
    fc.string({ unit: "binary" }).map((text): Reply => ({ type: "simple", text })),
    fc.string({ unit: "binary" }).map((message): Reply => ({ type: "error", message })),
    fc.constant<Reply>({ type: "nullArray" }),
    fc.double({ noNaN: true }).map((value): Reply => ({ type: "double", value })),
    fc.array(tie("reply"), { maxLength: 4 }),
    fc.array(tie("reply"), { maxLength: 4 }).map((items): Reply => ({ type: "set", items })),
    fc
      .tuple(
        fc.constantFrom("map" as const, "pairs" as const),
        fc.array(fc.tuple(tie("reply"), tie("reply")), { maxLength: 3 }),
      )
      .map(([type, entries]): Reply => ({ type, entries })),
  ),
}));
const response: fc.Arbitrary<KvResponse> = fc.array(reply, { maxLength: 5 }).map((replies) => ({ replies }));

describe("responses", () => {
  test("are read as they were written", () => {
    fc.assert(
      fc.property(response, (one) => {
        expect(RESPONSE_CODEC.decode(RESPONSE_CODEC.encode(one))).toStrictEqual(one);
      }),
      { numRuns: 300 },
    );
  });

  test("that are cut off, go on or are changed are refused, or are others", () => {
    fc.assert(
      fc.property(response, fc.nat(), fc.nat(255), (one, at, byte) => {
        const bytes = RESPONSE_CODEC.encode(one);
        const position = at % bytes.length;
        expect(() => RESPONSE_CODEC.decode(bytes.subarray(0, position))).toThrow(CodecError);
        expect(() => RESPONSE_CODEC.decode(Uint8Array.of(...bytes, 0))).toThrow(CodecError);
        bytes[position] = byte;
        try {
          const read = RESPONSE_CODEC.decode(bytes);
          expect(Buffer.compare(RESPONSE_CODEC.encode(read), bytes)).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["of another version", [2, 0, 0, 0, 0], "version 2"],
    ["of an unknown kind", [1, 0, 0, 0, 1, 99], "a reply of kind 99"],
    ["of more replies than there is room for", [1, 255, 255, 255, 255], "4294967295 replies"],
    ["of 0 below 0", [1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0], "0 and below it"],
    ["of a small integer as text", [1, 0, 0, 0, 1, 3, 0, 0, 0, 1, 0x37], "another way"],
    ["of text that is none", [1, 0, 0, 0, 1, 6, 0, 0, 0, 1, 0xff], "not UTF-8"],
    [
      "nested too deep",
      [1, 0, 0, 0, 1, ...Array.from({ length: 20 }, () => [5, 0, 0, 0, 1]).flat(), 0],
      "within one another",
    ],
  ])("%s are refused", (_, bytes, says) => {
    expect(() => RESPONSE_CODEC.decode(Uint8Array.from(bytes))).toThrow(says);
  });
});
