import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromByteString, toByteString } from "./byte-string.js";

test("any bytes survive, also more than one call takes arguments", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300, size: "max" }), (bytes) => {
      expect(fromByteString(toByteString(bytes))).toEqual(bytes);
    }),
  );
  const long = Uint8Array.from({ length: 1_000_003 }, (_, at) => (at * 7) % 251);
  const string = toByteString(long);
  expect(string).toHaveLength(long.length);
  // Not a deep comparison, which takes seconds at this length.
  expect(fromByteString(string).every((byte, at) => byte === long[at])).toBe(true);
});

test("strings compare as their bytes do", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
      const [one, other] = [toByteString(a), toByteString(b)];
      const order = Buffer.compare(a, b);
      expect(Math.sign(Number(one > other) - Number(one < other))).toBe(order);
    }),
    { numRuns: 500 },
  );
});
