import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { InvalidValueError } from "@seshat/common";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ForwardRequestSchema, ForwardResponseSchema } from "../generated/seshat/forward/v1/forward_pb.js";
import type { Item } from "./items.js";
import { ERROR, ItemReader, PAYLOAD, itemLength, writeItems } from "./items.js";

function read(bytes: Uint8Array): Item[] {
  const reader = new ItemReader(bytes);
  const items: Item[] = [];
  for (let item = reader.next(); item !== null; item = reader.next()) items.push(item);
  return items;
}

function write(items: readonly Item[]): Uint8Array {
  const length = items.reduce((sum, item) => sum + itemLength(item), 0);
  return new Uint8Array(writeItems(items, length));
}

const id = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 5 }), fc.uint8Array({ minLength: 120, maxLength: 300 }));

test("calls are what the schema says, either way", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ id, payload: bytes }), { maxLength: 5 }), (calls) => {
      const items = calls.map((call): Item => ({ id: call.id, field: PAYLOAD, bytes: call.payload }));
      expect(fromBinary(ForwardRequestSchema, write(items)).calls).toMatchObject(calls);
      expect(read(toBinary(ForwardRequestSchema, create(ForwardRequestSchema, { calls })))).toEqual(items);
    }),
  );
});

test("answers are what the schema says, either way", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ id, payload: bytes }), { maxLength: 5 }), (answers) => {
      const items = answers.map((answer): Item => ({ id: answer.id, field: PAYLOAD, bytes: answer.payload }));
      const wire = answers.map((answer) => ({
        id: answer.id,
        outcome: { case: "payload" as const, value: answer.payload },
      }));
      expect(fromBinary(ForwardResponseSchema, write(items)).answers).toMatchObject(wire);
      const generated = toBinary(ForwardResponseSchema, create(ForwardResponseSchema, { answers: wire }));
      expect(read(generated)).toEqual(items);
    }),
  );
});

test("an error is a field of its own", () => {
  const error = { case: "error" as const, value: { code: "overloaded", message: "no" } };
  const generated = toBinary(
    ForwardResponseSchema,
    create(ForwardResponseSchema, { answers: [{ id: 5, outcome: error }] }),
  );
  const [item] = read(generated);
  expect(item).toMatchObject({ id: 5, field: ERROR });
  expect(fromBinary(ForwardResponseSchema, write([item as Item])).answers).toMatchObject([
    { id: 5, outcome: error },
  ]);
});

test("fields of a later version are passed over, wherever they stand", () => {
  // Field 7 as each kind of value, then 9 inside an item.
  const unknown = ["3805", "398877665544332211", "3a03aabbcc", "3d11223344"].join("");
  const item = "0a0a4a02ffff08031202abcd";
  expect(read(Buffer.from(unknown + item + unknown, "hex"))).toEqual([
    { id: 3, field: PAYLOAD, bytes: Uint8Array.of(0xab, 0xcd) },
  ]);
});

test.for([
  ["a length past the end", "0a05"],
  ["a field that goes past its item", "0a021205aabbccddee"],
  ["a number without an end", "0a0308ffff"],
  ["a number past 32 bits", "0a0608ffffffff7f"],
  ["a varint of eleven bytes", "38ffffffffffffffffffff01"],
  ["a group", "3b3c"],
  ["a fixed field cut off", "3d1122"],
])("what is no message is refused: %s", ([, hex]) => {
  expect(() => read(Buffer.from(hex as string, "hex"))).toThrow(InvalidValueError);
});

test("whatever comes is read or refused, and reading ends", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (any) => {
      try {
        expect(read(any).length).toBeLessThanOrEqual(any.length);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidValueError);
      }
    }),
    { numRuns: 2000 },
  );
});
