import fc from "fast-check";
import { encodeCommand, RespProtocolError, RespReplyParser } from "@seshat/resp";
import { describe, expect, test } from "vitest";
import { COMMAND_CORPUS } from "./command-corpus.js";
import { REPLY_CORPUS } from "./reply-corpus.js";
import { bytes, parseStream } from "./streams.js";

const RUNS = 1500;
// Small, so that a short stream can break each of them.
const limits = { maxBulkBytes: 50, maxArguments: 20, maxCommandBytes: 2000, maxInlineBytes: 60 };

/** Pieces that mean something to the protocol, more often than chance would have it. */
const piece = fc.oneof(
  fc
    .constantFrom(
      "*",
      "$",
      "\r\n",
      "\r",
      "\n",
      "*1\r\n",
      "*2\r\n",
      "$3\r\n",
      "$0\r\n\r\n",
      "*-1\r\n",
      "$-1\r\n",
      '"',
      "'",
    )
    .map(bytes),
  fc
    .constantFrom(
      "\\",
      "\\x41",
      "99999999999",
      "-",
      "0",
      "GET",
      " ",
      "\0",
      ">",
      "%2\r\n",
      "~1\r\n",
      "|1\r\n",
      "_\r\n",
      "#t\r\n",
      ",1.5\r\n",
    )
    .map(bytes),
  fc
    .array(fc.constantFrom("PING", "x", ""), { minLength: 1, maxLength: 3 })
    .map((args) => encodeCommand(args)),
  fc.constantFrom(...COMMAND_CORPUS.map(([stream]) => bytes(stream.slice(0, 100)))),
  fc.constantFrom(...REPLY_CORPUS.map(([stream]) => bytes(stream.slice(0, 100)))),
  fc.uint8Array({ maxLength: 8 }),
);
const stream = fc
  .tuple(fc.array(piece, { maxLength: 12 }), fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 3 }))
  .map(([pieces, at, byte, change]) => {
    const whole = pieces.flatMap((part) => [...part]);
    const place = whole.length === 0 ? 0 : at % whole.length;
    if (change === 1) whole[place] = byte;
    if (change === 2) whole.splice(place, 1);
    if (change === 3) whole.splice(place);
    return Uint8Array.from(whole);
  });
const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });

describe("garbage", () => {
  test("as commands: the same whole as in pieces, and no error but a protocol error", () => {
    fc.assert(
      fc.property(stream, sizes, (data, cut) => {
        const whole = parseStream(data, [data.length], limits);
        expect(parseStream(data, cut, limits)).toEqual(whole);
        for (const args of whole.commands) {
          expect(args.length).toBeLessThanOrEqual(Math.max(limits.maxArguments, limits.maxInlineBytes / 2));
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("as replies: the same whole as in pieces, and no error but a protocol error", () => {
    const parse = (data: Uint8Array, cut: readonly number[]): unknown[] => {
      const parser = new RespReplyParser({
        maxBulkBytes: 50,
        maxReplyBytes: 3000,
        maxDepth: 5,
        maxLineBytes: 60,
      });
      const values: unknown[] = [];
      try {
        let at = 0;
        for (let turn = 0; at < data.length; turn++) {
          const size = cut[turn % cut.length] ?? 1;
          parser.push(data.slice(at, at + size));
          at += size;
          for (let value = parser.next(); value !== undefined; value = parser.next()) values.push(value);
        }
      } catch (error) {
        if (!(error instanceof RespProtocolError)) throw error;
        values.push(error.message);
      }
      return values;
    };
    fc.assert(
      fc.property(stream, sizes, (data, cut) => {
        expect(parse(data, cut)).toEqual(parse(data, [Math.max(1, data.length)]));
      }),
      { numRuns: RUNS },
    );
  });
});
