import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RequestSchema, ResponseSchema } from "../generated/seshat/raft/v1/raft_pb.js";
import { writeAppendRequest, writeAppendSuccess } from "./append-entries.js";

const id = fc.integer({ min: 1, max: 2 ** 32 - 1 });
/** Small, large, and around where an integer takes another byte. */
const integer = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
);
const bigint = integer.map(BigInt);
const logId = fc.record({ term: bigint, index: bigint });
const entries = fc.oneof(
  fc.constant(new Uint8Array(0)),
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(127, 128, 16_384).map((length) => new Uint8Array(length).fill(7)),
);
const value = fc.record({ term: bigint, leaderId: bigint, prevLogId: logId, leaderCommit: bigint, entries });
const header = fc.record({ clusterId: fc.string(), from: bigint, incarnation: bigint, to: bigint });

test("a request to append is what the schema makes of it, with a header and without", () => {
  fc.assert(
    fc.property(id, value, fc.option(header, { nil: undefined }), (number, said, asks) => {
      const body = { case: "appendEntries", value: said } as const;
      const about = asks === undefined ? { id: number } : { id: number, header: asks };
      const head = asks === undefined ? null : toBinary(RequestSchema, create(RequestSchema, about));
      expect(fromBinary(RequestSchema, writeAppendRequest(number, head, said))).toEqual(
        fromBinary(RequestSchema, toBinary(RequestSchema, create(RequestSchema, { ...about, body }))),
      );
    }),
  );
});

test("that everything is there is what the schema makes of it, also where nothing is", () => {
  fc.assert(
    fc.property(id, integer, integer, (number, term, index) => {
      const outcome = { case: "matchIndex", value: BigInt(index) } as const;
      const body = { case: "appendEntries", value: { term: BigInt(term), outcome } } as const;
      const bytes = writeAppendSuccess(number, term, index);
      expect(bytes).toHaveLength(
        toBinary(ResponseSchema, create(ResponseSchema, { id: number, body })).length,
      );
      expect(fromBinary(ResponseSchema, bytes)).toMatchObject({ id: number, body });
    }),
  );
});
