import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { halfSipHash } from "./half-sip-hash.js";

/** HalfSipHash as its paper has it, word by word, with any number of rounds. */
function reference(bytes: Uint8Array, k0: number, k1: number, rounds: number, finalRounds: number): number {
  const v = Uint32Array.of(k0, k1, 0x6c796765 ^ k0, 0x74656462 ^ k1);
  const [a, b, c, d] = [0, 1, 2, 3];
  const rotate = (at: number, by: number): void => {
    const value = v[at] as number;
    v[at] = (value << by) | (value >>> (32 - by));
  };
  const add = (to: number, from: number): void => {
    v[to] = (v[to] as number) + (v[from] as number);
  };
  const xor = (to: number, from: number): void => {
    v[to] = (v[to] as number) ^ (v[from] as number);
  };
  const round = (): void => {
    add(a, b);
    rotate(b, 5);
    xor(b, a);
    rotate(a, 16);
    add(c, d);
    rotate(d, 8);
    xor(d, c);
    add(a, d);
    rotate(d, 7);
    xor(d, a);
    add(c, b);
    rotate(b, 13);
    xor(b, c);
    rotate(c, 16);
  };
  const padded = new Uint8Array(Math.floor(bytes.length / 4) * 4 + 4);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 4) {
    const word = view.getUint32(at, true);
    v[d] = (v[d] as number) ^ word;
    for (let i = 0; i < rounds; i++) round();
    v[a] = (v[a] as number) ^ word;
  }
  v[c] = (v[c] as number) ^ 0xff;
  for (let i = 0; i < finalRounds; i++) round();
  return ((v[b] as number) ^ (v[d] as number)) >>> 0;
}

describe("HalfSipHash", () => {
  test("of the reference, with 2 and 4 rounds, is that of its authors", () => {
    // vectors.h of the reference implementation: key 00 01 ... 07, input 00 01 ... n - 1.
    const input = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i);
    const found = [0, 1, 2, 3].map((n) => reference(input(n), 0x03020100, 0x07060504, 2, 4));
    expect(found).toEqual([0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a]);
  });

  test("with 1 and 3 rounds is that of the reference", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70 }),
        fc.nat(0xffff_ffff),
        fc.nat(0xffff_ffff),
        (bytes, k0, k1) => {
          expect(halfSipHash(bytes, k0, k1)).toBe(reference(bytes, k0, k1, 1, 3) || 1);
        },
      ),
    );
  });

  test("depends on the seed", () => {
    const key = Uint8Array.of(1, 2, 3);
    expect(halfSipHash(key, 1, 2)).not.toBe(halfSipHash(key, 1, 3));
    expect(halfSipHash(key, 1, 2)).not.toBe(halfSipHash(key, 2, 2));
  });
});
