import type { LogEntry, Membership } from "@seshat/common";
import { CodecError, EMPTY_STORED_MEMBERSHIP, createMembership } from "@seshat/common";
import { ByteWriter } from "@seshat/common/binary";
import { SeededRandom } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { codec } from "../../test/sim-storage-fixture.js";
import type { Types } from "../../test/sim-storage-fixture.js";
import { EntryCodec } from "./entry-codec.js";

const entries = new EntryCodec<Types>(codec);

function encode(entry: LogEntry<string>): Uint8Array {
  const writer = new ByteWriter();
  entries.writeEntry(writer, entry);
  return writer.finish();
}

function randomMembership(random: SeededRandom): Membership {
  const ids = Array.from({ length: random.integer(1, 6) }, (_, i) => i * random.integer(1, 3) + 1);
  const some = (): number[] => ids.filter(() => random.chance(0.6)).concat(ids[0] as number);
  const configs = random.chance(0.5) ? [some()] : [some(), some()];
  const [outgoing, incoming] = configs;
  const leaving = outgoing?.filter(
    (id) => incoming !== undefined && !incoming.includes(id) && random.chance(0.5),
  );
  const incarnations = ids.map((id): [number, number] => [id, random.integer(1, Number.MAX_SAFE_INTEGER)]);
  const nodes = ids.map((id): [number, { addr: string }] => [id, { addr: `größe ${id}` }]);
  return createMembership(configs, nodes, { leaving: leaving ?? [], incarnations });
}

describe("memberships, in entries and in snapshots", () => {
  test("are read as they were written: voters, learners, who leaves, incarnations", () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 200; i++) {
      const membership = randomMembership(random);
      const logId = { term: random.integer(0, 9), index: random.integer(1, Number.MAX_SAFE_INTEGER) };
      const entry: LogEntry<string> = { logId, payload: { type: "membership", membership } };
      expect(entries.readEntry(encode(entry))).toStrictEqual(entry);
      const meta = {
        lastLogId: logId,
        lastMembership: { logId: { term: 0, index: 1 }, membership },
        snapshotId: `é${i}`,
      };
      expect(entries.decodeMeta(entries.encodeMeta(meta))).toStrictEqual(meta);
    }
  });

  test("may be those of no cluster", () => {
    const meta = {
      lastLogId: { term: 0, index: 0 },
      lastMembership: EMPTY_STORED_MEMBERSHIP,
      snapshotId: "",
    };
    expect(entries.decodeMeta(entries.encodeMeta(meta))).toStrictEqual(meta);
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
