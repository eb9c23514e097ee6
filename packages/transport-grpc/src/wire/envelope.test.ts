import { fromBinary } from "@bufbuild/protobuf";
import type { RequestHeader, ResponseHeader } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { RequestSchema, ResponseSchema } from "../generated/seshat/raft/v1/raft_pb.js";
import { RequestReader, RequestWriter, ResponseReader, ResponseWriter } from "./envelope.js";

const ASKS: RequestHeader = { clusterId: "blue", from: 1, incarnation: 5, to: 2, toIncarnation: 7 };
const BODY = { case: "readIndex", value: { lease: true } } as const;
const ANSWERS: ResponseHeader = { from: 2, incarnation: 9 };
const ANSWER = { case: "vote", value: { term: 3n, granted: true } } as const;
const ERROR = { case: "error", value: { code: "overloaded", message: "no" } } as const;
const fine = (): void => {};

describe("who asks", () => {
  test("is said at first, and left out as long as it stays the same", () => {
    const writer = new RequestWriter();
    const said = [ASKS, ASKS, { ...ASKS }].map(
      (header, id) => fromBinary(RequestSchema, writer.write(id, header, BODY, fine)).header !== undefined,
    );
    expect(said).toEqual([true, false, false]);
  });

  test.for([
    { clusterId: "green" },
    { from: 3 },
    { incarnation: 6 },
    { to: 4 },
    { toIncarnation: 0 },
  ] satisfies Partial<RequestHeader>[])("is said again when it changes: %o", (change) => {
    const writer = new RequestWriter();
    const reader = new RequestReader();
    const changed = { ...ASKS, ...change };
    for (const [id, header] of [ASKS, changed, changed, ASKS].entries())
      expect(reader.read(writer.write(id, header, BODY, fine))).toMatchObject({ id, header, body: BODY });
  });

  test("is not taken for said by a request that was not sent", () => {
    const writer = new RequestWriter();
    const reader = new RequestReader();
    reader.read(writer.write(1, ASKS, BODY, fine));
    const other = { ...ASKS, from: 3 };
    const refuse = (): never => {
      throw new Error("too large");
    };
    expect(() => writer.write(2, other, BODY, refuse)).toThrow("too large");
    expect(reader.read(writer.write(2, other, BODY, fine)).header).toEqual(other);
  });

  test("is the same object as long as it stays the same, and asked for where nobody said it", () => {
    const writer = new RequestWriter();
    const reader = new RequestReader();
    const first = reader.read(writer.write(1, ASKS, BODY, fine)).header;
    expect(reader.read(writer.write(2, ASKS, BODY, fine)).header).toBe(first);
    expect(() => new RequestReader().read(writer.write(3, ASKS, BODY, fine))).toThrow("request.header");
  });
});

describe("who answers", () => {
  test("is said at first and when it changes, and with an error not at all", () => {
    const writer = new ResponseWriter();
    const reader = new ResponseReader();
    const other = { from: 2, incarnation: 10 };
    const sent = [null, ANSWERS, null, ANSWERS, other, null, other].map((header) =>
      writer.write(1, header, header === null ? ERROR : ANSWER),
    );
    const said = sent.map((bytes) => fromBinary(ResponseSchema, bytes).header !== undefined);
    expect(said).toEqual([false, true, false, false, true, false, false]);
    const read = sent.map((bytes) => reader.read(bytes).header);
    expect(read).toEqual([null, ANSWERS, ANSWERS, ANSWERS, other, other, other]);
  });
});

test("who answers is said with the first answer to an append, and left out after it", () => {
  const writer = new ResponseWriter();
  const reader = new ResponseReader();
  const outcome = { case: "matchIndex", value: 0n } as const;
  const body = { case: "appendEntries", value: { term: 3n, outcome } } as const;
  const sent = [1, 2].map((id) => writer.write(id, ANSWERS, body));
  const said = sent.map((bytes) => fromBinary(ResponseSchema, bytes).header !== undefined);
  expect(said).toEqual([true, false]);
  for (const bytes of sent) expect(reader.read(bytes)).toMatchObject({ header: ANSWERS, body });
});

test("entries are put where the schema has them, whatever their length, with the header and without", () => {
  for (const length of [1, 127, 128, 16_383, 16_384, 100_000]) {
    const writer = new RequestWriter();
    const entries = new Uint8Array(length).fill(length);
    const value = { term: 3n, leaderId: 1n, prevLogId: { term: 2n, index: 9n }, leaderCommit: 8n, entries };
    const body = { case: "appendEntries", value } as const;
    for (const id of [1, 300]) {
      const request = fromBinary(RequestSchema, writer.write(id, ASKS, body, fine));
      expect(request).toMatchObject({ id, body });
      expect(request.header === undefined).toBe(id === 300);
    }
  }
});

test("a part of a snapshot is put where the schema has it, whatever its length, with the header and without", () => {
  for (const length of [1, 127, 128, 16_383, 16_384, 100_000]) {
    const writer = new RequestWriter();
    const data = new Uint8Array(length).fill(length);
    const meta = Uint8Array.of(7, 7);
    const value = { term: 3n, leaderId: 1n, meta, size: 200_000n, offset: 9n, data };
    const body = { case: "installSnapshot", value } as const;
    for (const id of [1, 300]) {
      const request = fromBinary(RequestSchema, writer.write(id, ASKS, body, fine));
      expect(request).toMatchObject({ id, body });
      expect(request.header === undefined).toBe(id === 300);
    }
  }
});
