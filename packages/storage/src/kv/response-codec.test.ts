import type { Response } from "@seshat/common";
import { CodecError } from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../test/helpers.js";
import { RESPONSE_CODEC } from "./response-codec.js";

const bytes = fc.uint8Array({ maxLength: 20 });
// Whatever has a form in UTF-8: half a surrogate pair has none.
const anyText = fc.string({ unit: "binary", maxLength: 10 });
const responses: fc.Arbitrary<Response> = fc.record({
  result: bytes,
  error: fc.option(fc.record({ code: anyText, message: anyText })),
});

describe("the response codec", () => {
  test("writes these very bytes: they stand in snapshots and travel between versions", () => {
    const result = RESPONSE_CODEC.encode({ result: utf8("OK"), error: null });
    expect([...result]).toEqual([1, 0, 0, 0, 0, 2, 79, 75]);
    const error = RESPONSE_CODEC.encode({ result: utf8(""), error: { code: "c", message: "é" } });
    expect([...error]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 99, 0, 0, 0, 2, 0xc3, 0xa9]);
  });

  test("decodes a result of any length", () => {
    for (const length of [255, 256, 65_535, 65_536, 16_777_217]) {
      const encoded = RESPONSE_CODEC.encode({ result: new Uint8Array(length), error: null });
      expect(RESPONSE_CODEC.decode(encoded).result.length).toBe(length);
    }
  });

  test("decodes what it encoded, whatever the bytes and texts", () => {
    fc.assert(
      fc.property(responses, (response) => {
        expect(RESPONSE_CODEC.decode(RESPONSE_CODEC.encode(response))).toEqual(response);
      }),
    );
  });

  test("keeps a byte order mark, which decoders like to drop", () => {
    const response = { result: utf8(""), error: { code: "\uFEFFc", message: "\uFEFF" } };
    expect(RESPONSE_CODEC.decode(RESPONSE_CODEC.encode(response))).toEqual(response);
  });

  test("every cut and every addition is a CodecError", () => {
    fc.assert(
      fc.property(responses, fc.uint8Array({ minLength: 1, maxLength: 5 }), (response, more) => {
        const encoded = RESPONSE_CODEC.encode(response);
        for (let length = 0; length < encoded.length; length++) {
          expect(() => RESPONSE_CODEC.decode(encoded.subarray(0, length))).toThrow(CodecError);
        }
        expect(() => RESPONSE_CODEC.decode(Uint8Array.of(...encoded, ...more))).toThrow(CodecError);
      }),
    );
  });

  test("damaged and random bytes decode to a response or throw CodecError, and nothing else", () => {
    const flips = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    const damaged = fc.tuple(responses, flips).map(([response, places]) => {
      const encoded = RESPONSE_CODEC.encode(response);
      for (const [at, flip] of places) {
        const place = at % encoded.length;
        encoded[place] = (encoded[place] as number) ^ flip;
      }
      return encoded;
    });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 40 })), (input) => {
        try {
          // Whatever decodes is canonical: there is one way to write a response.
          expect(RESPONSE_CODEC.encode(RESPONSE_CODEC.decode(input))).toEqual(input);
        } catch (error) {
          if (!(error instanceof CodecError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    [[2, 0, 0, 0, 0, 0], "at byte 1: version 2 is unknown; this is version 1"],
    [[1, 2, 0, 0, 0, 0], "at byte 2: kind 2 is unknown"],
    [[1, 0, 255, 255, 255, 255, 1], "4294967295 bytes expected, 1 left"],
    [[1, 1, 0, 0, 0, 0], "at byte 6: 4 bytes expected, 0 left"],
    [[1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0, 0], "at byte 11: text that is not UTF-8"],
    [[1, 0, 0, 0, 0, 0, 9], "at byte 6: 1 bytes too many"],
  ])("the bytes %j are refused for what is wrong with them", (input, message) => {
    expect(() => RESPONSE_CODEC.decode(Uint8Array.from(input))).toThrow(CodecError);
    expect(() => RESPONSE_CODEC.decode(Uint8Array.from(input))).toThrow(message);
  });

  test("a text that was cut short has no effect on the next", () => {
    const cut = Uint8Array.from([1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xc3, 0, 0, 0, 0]);
    expect(() => RESPONSE_CODEC.decode(cut)).toThrow(CodecError);
    const response = { result: utf8(""), error: { code: "code", message: "" } };
    expect(RESPONSE_CODEC.decode(RESPONSE_CODEC.encode(response))).toEqual(response);
  });

  test("shares no memory with what it encodes or decodes, not even a Buffer", () => {
    const result = utf8("value");
    const encoded = Buffer.from(RESPONSE_CODEC.encode({ result, error: null }));
    result.fill(0);
    const decoded = RESPONSE_CODEC.decode(encoded);
    encoded.fill(0);
    expect(decoded).toEqual({ result: utf8("value"), error: null });
  });
});
