import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../binary/byte-writer.js";
import { CodecError } from "../errors.js";
import type { LogEntry } from "../log-entry.js";
import type { Membership, StoredMembership } from "../membership.js";
import { EMPTY_STORED_MEMBERSHIP, createMembership } from "../membership.js";
import type { TypeConfig } from "../raft-type-config.js";
import type { TypeCodec } from "./byte-codec.js";
import { BYTES_CODEC } from "./byte-codec.js";
import { EntryCodec } from "./entry-codec.js";

type Types = TypeConfig<string, string>;

const codec: TypeCodec<Types> = {
  command: {
    encode: (text) => new TextEncoder().encode(text),
    decode: (bytes) => new TextDecoder().decode(bytes),
  },
};

const entries = new EntryCodec<Types>(codec);

function encode(entry: LogEntry<string>): Uint8Array {
  const writer = new ByteWriter();
  entries.writeEntry(writer, entry);
  return writer.finish();
}

const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

const number = (min: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.constantFrom(min, 255, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
    fc.maxSafeNat().filter((n) => n >= min),
  );
const logId = plain({ term: number(0), index: number(1) });

const membership: fc.Arbitrary<Membership> = fc
  .uniqueArray(number(1), { minLength: 1, maxLength: 5 })
  .chain((ids) =>
    plain({
      ids: fc.constant(ids),
      configs: fc.array(fc.subarray(ids, { minLength: 1 }), { minLength: 1, maxLength: 2 }),
      leaves: fc.boolean(),
      incarnations: fc.array(fc.tuple(fc.constantFrom(...ids), number(1))),
      addr: fc.string({ unit: "grapheme" }),
    }),
  )
  .map(({ ids, configs, leaves, incarnations, addr }) => {
    const [outgoing = [], incoming] = configs;
    const leaving = incoming === undefined || !leaves ? [] : outgoing.filter((id) => !incoming.includes(id));
    return createMembership(
      configs,
      ids.map((id): [number, { addr: string }] => [id, { addr }]),
      { leaving, incarnations },
    );
  });

const session = plain({ sessionId: number(1), sequence: number(1), answeredBelow: number(1) });
const data = fc.string({ unit: "grapheme" });

const entry: fc.Arbitrary<LogEntry<string>> = plain({
  logId,
  payload: fc.oneof(
    fc.constant({ type: "blank" } as const),
    plain({ type: fc.constant("normal" as const), data }),
    plain({ type: fc.constant("normal" as const), data, session }),
    plain({ type: fc.constant("openSession" as const), expiresAfter: number(1) }),
    plain({ type: fc.constant("membership" as const), membership }),
  ),
});

describe("entries and memberships", () => {
  test("one by one, of any kind, are read as they were written", () => {
    fc.assert(
      fc.property(entry, (one) => {
        expect(entries.readEntry(encode(one))).toStrictEqual(one);
      }),
      { numRuns: 200 },
    );
  });

  test("many at once are read as they were written", () => {
    fc.assert(
      fc.property(fc.array(entry), (some) => {
        expect(entries.decodeEntries(entries.encodeEntries(some))).toStrictEqual(some);
      }),
      { numRuns: 200 },
    );
  });

  test("in snapshots are read as they were written: voters, learners, who leaves, incarnations", () => {
    fc.assert(
      fc.property(logId, logId, membership, data, (lastLogId, membershipLogId, one, snapshotId) => {
        const lastMembership = { logId: membershipLogId, membership: one };
        const meta = { lastLogId, lastMembership, snapshotId };
        expect(entries.decodeMeta(entries.encodeMeta(meta))).toStrictEqual(meta);
      }),
    );
  });

  test("may be those of no cluster", () => {
    const meta = {
      lastLogId: { term: 0, index: 0 },
      lastMembership: EMPTY_STORED_MEMBERSHIP,
      snapshotId: "",
    };
    expect(entries.decodeMeta(entries.encodeMeta(meta))).toStrictEqual(meta);
  });

  test("as bytes, commands of many entries are parts of what was read, and that of one is not", () => {
    const bytes = new EntryCodec(BYTES_CODEC);
    const command = { data: Uint8Array.of(1, 2, 3) };
    const one = { logId: { term: 1, index: 2 }, payload: { type: "normal" as const, data: command } };
    const all = bytes.encodeEntries([one, one]);
    const [first] = bytes.decodeEntries(all);
    expect(first).toStrictEqual(one);
    expect(first?.payload.type === "normal" && first.payload.data.data.buffer).toBe(all.buffer);
    const writer = new ByteWriter();
    bytes.writeEntry(writer, one);
    const written = Buffer.from(writer.finish());
    const read = bytes.readEntry(written);
    written.fill(0);
    expect(read).toStrictEqual(one);
  });
});

test("many entries of which anything is cut off or changed are refused, or are others: they never fail otherwise", () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), fc.nat(), fc.nat(255), (some, at, byte) => {
      const bytes = entries.encodeEntries(some);
      const position = at % bytes.length;
      if (position > 0) {
        const lengths = new Set([0]);
        for (let n = 1; n <= some.length; n++) lengths.add(entries.encodeEntries(some.slice(0, n)).length);
        const read = (): unknown => entries.decodeEntries(bytes.subarray(0, position));
        if (lengths.has(position)) read();
        else expect(read).toThrow(CodecError);
      }
      bytes[position] = byte;
      try {
        entries.decodeEntries(bytes);
      } catch (error) {
        // Memberships check themselves, and nodes are JSON.
        expect((error as Error).name).toMatch(/^(?:CodecError|InvalidValueError|SyntaxError|TypeError)$/);
      }
    }),
    { numRuns: 300 },
  );
});

describe("memberships among entries", () => {
  const FIRST = 7;
  /** Entries of consecutive indexes. */
  const consecutive = fc
    .array(entry, { maxLength: 20 })
    .map((some) =>
      some.map(({ logId: { term }, payload }, i) => ({ logId: { term, index: FIRST + i }, payload })),
    );
  /** Decodes memberships and nothing else. */
  const deaf = new EntryCodec<Types>({
    command: {
      encode: (text) => codec.command.encode(text),
      decode: () => expect.unreachable("a command was decoded"),
    },
  });

  test("are found without a look at what else there is", () => {
    fc.assert(
      fc.property(consecutive, (some) => {
        const found: StoredMembership[] = [];
        expect(deaf.findMemberships(deaf.encodeEntries(some), FIRST, found)).toBe(some.length);
        expect(found).toStrictEqual(
          some.flatMap(({ logId: at, payload }) =>
            payload.type === "membership" ? [{ logId: at, membership: payload.membership }] : [],
          ),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("are not looked for in entries that are others, or cut off, or of no type", () => {
    const some = [1, 2, 3].map((term, i) => ({
      logId: { term, index: FIRST + i },
      payload: { type: "blank" as const },
    }));
    const bytes = entries.encodeEntries(some);
    const find = (part: Uint8Array, first = FIRST): number => entries.findMemberships(part, first, []);
    expect(find(bytes)).toBe(3);
    expect(() => find(bytes, FIRST + 1)).toThrow(`entry ${FIRST} where ${FIRST + 1} has to be`);
    const size = bytes.length / 3;
    const twice = new Uint8Array([...bytes.subarray(0, size), ...bytes.subarray(0, size)]);
    expect(() => find(twice)).toThrow(`entry ${FIRST} where ${FIRST + 1} has to be`);
    for (let length = 1; length < bytes.length; length++)
      if (length % size !== 0) expect(() => find(bytes.subarray(0, length))).toThrow(CodecError);
    const unknown = bytes.slice();
    unknown[size - 1] = 5;
    expect(() => find(unknown)).toThrow("an entry of type 5");
    const short = bytes.slice();
    short[3] = 16;
    expect(() => find(short)).toThrow("an entry of 16 bytes");
  });
});

describe("bytes that are no entry", () => {
  const membership = createMembership(
    [[1, 2]],
    [
      [1, { addr: "a" }],
      [2, { addr: "b" }],
    ],
    { incarnations: [[1, 5]] },
  );

  test.for([
    { type: "membership", membership },
    { type: "normal", data: "d", session: { sessionId: 1, sequence: 2, answeredBelow: 1 } },
    { type: "openSession", expiresAfter: 3 },
    { type: "blank" },
  ] as const)("because they end too early are refused: $type", (payload) => {
    const bytes = encode({ logId: { term: 1, index: 2 }, payload });
    const fixed = payload.type === "normal" ? bytes.length - 1 : bytes.length;
    for (let length = 0; length < fixed; length++) {
      expect(() => entries.readEntry(bytes.subarray(0, length))).toThrow(CodecError);
    }
    if (payload.type === "normal") return;
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => entries.readEntry(longer)).toThrow(CodecError);
  });

  test("because of their type are refused", () => {
    const bytes = encode({ logId: { term: 1, index: 2 }, payload: { type: "blank" } });
    bytes[16] = 9;
    expect(() => entries.readEntry(bytes)).toThrow("an entry of type 9");
  });
});

test("nodes can have a codec of their own", () => {
  const own = new EntryCodec<Types>({
    ...codec,
    node: {
      encode: ({ addr }) => new TextEncoder().encode(addr),
      decode: (bytes) => ({ addr: new TextDecoder().decode(bytes) }),
    },
  });
  const membership = createMembership([[1]], [[1, { addr: "a:1" }]]);
  const writer = new ByteWriter();
  const entry: LogEntry<string> = {
    logId: { term: 1, index: 1 },
    payload: { type: "membership", membership },
  };
  own.writeEntry(writer, entry);
  expect(own.readEntry(writer.finish())).toStrictEqual(entry);
  expect(new TextDecoder().decode(writer.finish())).not.toContain("addr");
});
