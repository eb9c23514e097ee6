import { CodecError, InvalidValueError } from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { del, set, utf8 } from "../../test/helpers.js";
import type { Operation } from "./operation.js";
import { decodeOperation, encodeOperation, mayDelete, viewOperation } from "./operation-codec.js";

const bytes = fc.uint8Array({ maxLength: 20 });
const operations: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ type: fc.constant("set" as const), key: bytes, value: bytes }),
  fc.record({ type: fc.constant("del" as const), keys: fc.array(bytes, { minLength: 1, maxLength: 5 }) }),
);

describe("the operation codec", () => {
  test("writes these very bytes: they stand in logs for ever", () => {
    expect([...encodeOperation(set("k", "vw"))]).toEqual([1, 1, 0, 0, 0, 1, 107, 0, 0, 0, 2, 118, 119]);
    expect([...encodeOperation(del("a", ""))]).toEqual([1, 2, 0, 0, 0, 2, 0, 0, 0, 1, 97, 0, 0, 0, 0]);
  });

  test("decodes what it encoded, whatever the bytes", () => {
    fc.assert(
      fc.property(operations, (operation) => {
        expect(decodeOperation(encodeOperation(operation))).toEqual(operation);
      }),
    );
  });

  test("every cut and every addition is a CodecError", () => {
    fc.assert(
      fc.property(operations, bytes, (operation, more) => {
        const encoded = encodeOperation(operation);
        for (let length = 0; length < encoded.length; length++) {
          expect(() => decodeOperation(encoded.subarray(0, length))).toThrow(CodecError);
        }
        if (more.length > 0)
          expect(() => decodeOperation(Uint8Array.of(...encoded, ...more))).toThrow(CodecError);
      }),
    );
  });

  test("damaged and random bytes decode to an operation or throw CodecError, and nothing else", () => {
    const damaged = fc
      .tuple(
        operations,
        fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
      )
      .map(([operation, flips]) => {
        const encoded = encodeOperation(operation);
        for (const [at, flip] of flips) {
          const place = at % encoded.length;
          encoded[place] = (encoded[place] as number) ^ flip;
        }
        return encoded;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 40 })), (input) => {
        try {
          // Whatever decodes is canonical: there is one way to write an operation.
          expect(encodeOperation(decodeOperation(input))).toEqual(input);
        } catch (error) {
          if (!(error instanceof CodecError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    [[2, 1, 0, 0, 0, 0, 0, 0, 0, 0], "at byte 1: version 2 is unknown; this is version 1"],
    [[1, 3], "at byte 2: kind 3 is unknown"],
    [[1, 2, 0, 0, 0, 0], "at byte 6: a del of no keys"],
    [[1, 1, 255, 255, 255, 255, 1], "4294967295 bytes expected, 1 left"],
    [[1, 2, 255, 255, 255, 255, 0, 0, 0, 0], "4 bytes expected, 0 left"],
    [[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9], "at byte 10: 1 bytes too many"],
  ])("the bytes %j are refused for what is wrong with them", (input, message) => {
    expect(() => decodeOperation(Uint8Array.from(input))).toThrow(CodecError);
    expect(() => decodeOperation(Uint8Array.from(input))).toThrow(message);
  });

  test("what is no operation, or no bytes, is refused", () => {
    expect(() => encodeOperation({ type: "del", keys: [] })).toThrow(InvalidValueError);
    expect(() => decodeOperation("set" as unknown as Uint8Array)).toThrow(CodecError);
  });

  test("shares no memory with what it encodes or decodes, not even a Buffer", () => {
    const value = utf8("value");
    const encoded = Buffer.from(encodeOperation({ type: "set", key: utf8("k"), value }));
    const decoded = decodeOperation(encoded);
    encoded.fill(0);
    expect(decoded).toEqual({ type: "set", key: utf8("k"), value });
  });

  test("gives parts of what it is given where that is asked for, and refuses the same", () => {
    const set = { type: "set", key: utf8("k"), value: utf8("value") } as const;
    const encoded = encodeOperation(set);
    const viewed = viewOperation(encoded);
    expect(viewed).toEqual(set);
    for (const part of viewed.type === "set" ? [viewed.key, viewed.value] : [])
      expect(part.buffer).toBe(encoded.buffer);
    const del = encodeOperation({ type: "del", keys: [utf8("a"), utf8("b")] });
    expect(viewOperation(del)).toEqual({ type: "del", keys: [utf8("a"), utf8("b")] });
    for (let length = 0; length < encoded.length; length++)
      expect(() => viewOperation(encoded.subarray(0, length))).toThrow(CodecError);
    expect(() => viewOperation(Uint8Array.of(...encoded, 1))).toThrow(CodecError);
  });

  test("may delete only where it says so: nothing that does is passed over", () => {
    expect(mayDelete(encodeOperation({ type: "del", keys: [utf8("a")] }))).toBe(true);
    expect(mayDelete(encodeOperation({ type: "set", key: utf8("a"), value: utf8("") }))).toBe(false);
    expect(mayDelete(new Uint8Array(0))).toBe(false);
  });
});
