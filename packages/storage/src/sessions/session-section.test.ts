import { CodecError } from "@seshat/common";
import { ByteWriter, crc32 } from "@seshat/common/binary";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TEXT_CODEC, allBytes, utf8 } from "../../test/helpers.js";
import type { ResponseCodec } from "./response-codec.js";
import { MAX_SESSIONS, MAX_UNANSWERED } from "./session.js";
import { SessionTable } from "./session-table.js";

const INDEX = 100;

function decode(bytes: Uint8Array): SessionTable<string> {
  return SessionTable.decode(TEXT_CODEC, INDEX, bytes);
}

/** A body with a checksum that fits. */
function sealed(writer: ByteWriter): Uint8Array {
  return writer.u32(crc32(writer.finish())).finish();
}

interface Fields {
  readonly id?: number;
  readonly expiresAfter?: number;
  readonly lastUsed?: number;
  readonly answeredBelow?: number;
  /** How many answers it says there are. */
  readonly count?: number;
  readonly answers?: readonly (readonly [number, Uint8Array])[];
}

function section(sessions: readonly Fields[], count = sessions.length, version = 1): ByteWriter {
  const writer = new ByteWriter().u8(version).u32(count);
  for (const { id = 5, expiresAfter = 50, lastUsed = 90, answeredBelow = 2, ...rest } of sessions) {
    const { answers = [], count: answerCount = answers.length } = rest;
    writer.u64(id).u64(expiresAfter).u64(lastUsed).u64(answeredBelow).u32(answerCount);
    for (const [sequence, answer] of answers) writer.u64(sequence).bytes(answer);
  }
  return writer;
}

const two: readonly Fields[] = [
  { id: 7, lastUsed: 80, answeredBelow: 1 },
  {
    answers: [
      [2, utf8("two")],
      [4, utf8("")],
    ],
  },
];

describe("sessions in a snapshot", () => {
  test("that can be are read, and written the same again", async () => {
    const bytes = sealed(section(two));
    const table = decode(bytes);
    expect(table.size).toBe(2);
    expect(await allBytes(table.capture(INDEX).chunks())).toEqual(bytes);
    expect(table.carryOut(101, { sessionId: 5, sequence: 2, answeredBelow: 1 }, () => "again")).toBe("two");
  });

  test.each<[string, readonly Fields[], string]>([
    ["an id of 0", [{ id: 0 }], "a session id of 0"],
    ["an id twice", [{ lastUsed: 80 }, {}], "session 5 twice"],
    ["a session used before it was opened", [{ id: 91 }], "session 91 used before it was opened"],
    ["a session used after the snapshot", [{ lastUsed: 101 }], "a session used at 101, after 100"],
    ["two sessions used by one entry", [{ id: 6 }, {}], "not in the order of their use"],
    ["sessions out of order", [{ id: 6, lastUsed: 91 }, {}], "not in the order of their use"],
    ["a session that never was alive", [{ expiresAfter: 0 }], "a number of entries of 0"],
    ["a session that had expired", [{ expiresAfter: 10 }], "a session that had expired at 100"],
    ["an answeredBelow of 0", [{ answeredBelow: 0 }], "a sequence number of 0"],
    ["an answer that is gone", [{ answers: [[1, utf8("")]] }], "answer 1 after 1"],
    [
      "an answer twice",
      [
        {
          answers: [
            [3, utf8("")],
            [3, utf8("")],
          ],
        },
      ],
      "answer 3 after 3",
    ],
    [
      "answers out of order",
      [
        {
          answers: [
            [4, utf8("")],
            [3, utf8("")],
          ],
        },
      ],
      "answer 3 after 4",
    ],
    ["an answer that is no response", [{ answers: [[2, Uint8Array.of(0xff)]] }], "cannot decode text"],
    ["more answers than it has", [{ count: 1 }], "8 bytes expected, 0 left"],
    ["fewer answers than it has", [{ count: 0, answers: [[2, utf8("a")]] }], "13 bytes too many"],
    [
      "more answers than there can be",
      [{ count: MAX_UNANSWERED + 1 }],
      "1025 answers, but there are 1024 at most",
    ],
  ])("with a checksum that fits, %s is refused all the same", (_, sessions, message) => {
    const bytes = sealed(section(sessions));
    expect(() => decode(bytes)).toThrow(CodecError);
    expect(() => decode(bytes)).toThrow(message);
  });

  test("a session that expires with the next entry is one that can be", () => {
    expect(decode(sealed(section([{ expiresAfter: 11 }]))).size).toBe(1);
  });

  test.each([
    ["more sessions than there are", section(two, 3), "8 bytes expected, 0 left"],
    ["fewer sessions than there are", section(two, 1), "63 bytes too many"],
    [
      "more sessions than there can be",
      section([], MAX_SESSIONS + 1),
      "16385 sessions, but there are 16384 at most",
    ],
    ["another version", section(two, 2, 2), "version 2 is unknown; this is version 1"],
    [
      "an answer of gigabytes",
      section([{ count: 1 }])
        .u64(2)
        .u32(0xffff_ffff),
      "4294967295 bytes expected, 0 left",
    ],
  ])("with a checksum that fits, %s is refused all the same", (_, writer, message) => {
    const bytes = sealed(writer);
    expect(() => decode(bytes)).toThrow(CodecError);
    expect(() => decode(bytes)).toThrow(message);
  });

  test("as many sessions and answers as there can be are read", () => {
    const answers = Array.from({ length: MAX_UNANSWERED }, (_, at) => [at + 2, utf8("")] as const);
    expect(decode(sealed(section([{ answers }]))).size).toBe(1);
    const sessions = Array.from({ length: MAX_SESSIONS }, (_, at) => ({
      id: at + 1,
      lastUsed: at + 1,
      expiresAfter: 1e6,
    }));
    expect(SessionTable.decode(TEXT_CODEC, MAX_SESSIONS, sealed(section(sessions))).size).toBe(MAX_SESSIONS);
  });

  test("any damaged bit, cut or addition is a CodecError, and no damaged response reaches its codec", () => {
    const bytes = sealed(section(two));
    const watched: ResponseCodec<string> = {
      ...TEXT_CODEC,
      decode: (response) => expect.unreachable(`decoded ${response.length} bytes`),
    };
    const broken: Uint8Array[] = [Uint8Array.of(...bytes, 0)];
    for (let at = 0; at < bytes.length; at++) {
      broken.push(bytes.slice(0, at));
      for (let bit = 0; bit < 8; bit++) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] as number) ^ (1 << bit);
        broken.push(damaged);
      }
    }
    for (const input of broken) {
      expect(() => SessionTable.decode(watched, INDEX, input)).toThrow(CodecError);
    }
  });

  test("any bytes at all, with a checksum that fits, decode to what they are or throw CodecError", async () => {
    const someBytes = fc.uint8Array({ maxLength: 60 });
    const flips = fc.array(fc.tuple(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 255 })), {
      maxLength: 3,
    });
    const damaged = flips.map((places) => {
      const body = section(two).finish();
      for (const [at, flip] of places) body[at % body.length] = (body[at % body.length] as number) ^ flip;
      return body;
    });
    let decoded = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, someBytes), async (body) => {
        const bytes = sealed(new ByteWriter().raw(body));
        let table: SessionTable<string>;
        try {
          table = decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
          return;
        }
        decoded += 1;
        expect(await allBytes(table.capture(INDEX).chunks())).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
    expect(decoded).toBeGreaterThan(0);
  });

  test("what was read shares no memory with the bytes, not even a Buffer", () => {
    const bytes = Buffer.from(sealed(section(two)));
    const table = decode(bytes);
    bytes.fill(0x41);
    expect(table.carryOut(101, { sessionId: 5, sequence: 2, answeredBelow: 1 }, () => "again")).toBe("two");
  });
});
