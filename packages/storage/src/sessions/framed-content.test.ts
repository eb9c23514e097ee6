import { CodecError } from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allBytes, inChunks, utf8 } from "../../test/helpers.js";
import { takeSection, withSection } from "./framed-content.js";

function framed(section: Uint8Array, content: Uint8Array): Promise<Uint8Array> {
  return allBytes(withSection({ size: section.length, chunks: () => [section] }, [content]));
}

/** Chunks that end at `cuts`, some of them empty. */
async function* cutAt(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts, bytes.length].map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
}

describe("a section before a content", () => {
  test("is written as these very bytes", async () => {
    expect([...(await framed(utf8("ab"), utf8("c")))]).toEqual([0, 0, 0, 0, 0, 0, 0, 2, 97, 98, 99]);
    expect([...(await framed(utf8(""), utf8("c")))]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 99]);
  });

  test("comes chunk by chunk, and the content after it: none is gathered", async () => {
    const section = { size: 3, chunks: () => [utf8("a"), utf8("bc")] };
    const lengths: number[] = [];
    for await (const chunk of withSection(section, [utf8("d"), utf8("ef")])) lengths.push(chunk.length);
    expect(lengths).toEqual([8, 1, 2, 1, 2]);
  });

  test("is taken off again, wherever the bytes are cut", async () => {
    const bytes = fc.uint8Array({ maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        bytes,
        bytes,
        fc.array(fc.nat(48), { maxLength: 6 }),
        async (section, content, cuts) => {
          const whole = await framed(section, content);
          const taken = await takeSection(cutAt(whole, cuts), whole.length);
          expect(taken.section).toEqual(section);
          expect(await allBytes(taken.content)).toEqual(content);
        },
      ),
    );
  });

  test("that is cut off anywhere is a CodecError that says where", async () => {
    const whole = await framed(utf8("section"), utf8(""));
    for (let length = 0; length < whole.length; length++) {
      const taken = takeSection(inChunks(whole.subarray(0, length), 3), whole.length);
      await expect(taken).rejects.toBeInstanceOf(CodecError);
      const missing = (length < 8 ? 8 : whole.length) - length;
      await expect(taken).rejects.toThrow(`at byte ${length}: ${missing} bytes missing`);
    }
  });

  test("that claims to be longer than all there is, is refused before anything is read for it", async () => {
    const whole = await framed(utf8("section"), utf8("content"));
    for (const [claim, problem] of [
      [15, "at byte 8: a section of 15 bytes in a content of 22"],
      [2 ** 40, "at byte 8: a section of 1099511627776 bytes in a content of 22"],
    ] as const) {
      new DataView(whole.buffer).setBigUint64(0, BigInt(claim));
      await expect(takeSection(inChunks(whole, 5), whole.length)).rejects.toThrow(problem);
    }
    new DataView(whole.buffer).setBigUint64(0, 14n);
    expect((await takeSection(inChunks(whole, 5), whole.length)).section).toEqual(utf8("sectioncontent"));
    new DataView(whole.buffer).setBigUint64(0, 2n ** 63n);
    await expect(takeSection(inChunks(whole, 5), whole.length)).rejects.toThrow("past 2^53 - 1");
  });

  test("gives no memory of its source away: chunks may be used again for the next", async () => {
    const buffer = new Uint8Array(4);
    async function* reusing(): AsyncGenerator<Uint8Array> {
      for (const four of [
        [0, 0, 0, 0],
        [0, 0, 0, 6],
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ]) {
        buffer.set(four);
        yield buffer;
      }
    }
    const { section, content } = await takeSection(reusing(), 16);
    expect(await allBytes(content)).toEqual(Uint8Array.of(7, 8));
    expect(section).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  });

  test.each([
    [
      "the content is read to its end",
      9,
      async (content: AsyncIterable<Uint8Array>) => void (await allBytes(content)),
    ],
    [
      "the content is read only in part",
      9,
      async (content: AsyncIterable<Uint8Array>) => {
        for await (const _ of content) break;
      },
    ],
    ["the section cannot be read", 8, undefined],
  ])("closes its source when %s", async (_, size, read) => {
    let closed = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 7, 8);
        yield Uint8Array.of(9);
      } finally {
        closed += 1;
      }
    }
    const taking = takeSection(source(), size);
    if (read === undefined) await expect(taking).rejects.toBeInstanceOf(CodecError);
    else await read((await taking).content);
    expect(closed).toBe(1);
  });
});
