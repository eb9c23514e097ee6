import { expect, test } from "vitest";
import { encodedOnce, jsonCodec } from "./codec.js";

test("a codec that encodes each object once gives the same bytes for the same object, and reads as before", () => {
  const json = jsonCodec<{ readonly a: number } | string>();
  let encoded = 0;
  const codec = encodedOnce({
    encode(value: { readonly a: number } | string) {
      encoded += 1;
      return json.encode(value);
    },
    decode: (bytes) => json.decode(bytes),
  });
  const one = { a: 1 };
  const bytes = codec.encode(one);
  expect(codec.encode(one)).toBe(bytes);
  expect(encoded).toBe(1);
  expect(codec.decode(bytes)).toStrictEqual(one);
  // Another object that is equal is another one, and what is no object is written each time.
  expect(codec.encode({ a: 1 })).toStrictEqual(bytes);
  expect(codec.encode("text")).toStrictEqual(codec.encode("text"));
  expect(encoded).toBe(4);
});
