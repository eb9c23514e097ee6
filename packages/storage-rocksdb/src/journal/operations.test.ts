import { CodecError } from "@seshat/common";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Operations } from "./operations.js";
import { OperationWriter, doOperations } from "./operations.js";
import { RecordMemory } from "./record-memory.js";

type Operation = readonly ["put" | "delete" | "deleteRange", ...Uint8Array[]];

/** Writes down what it is told. */
class Told implements Operations {
  readonly operations: Operation[] = [];

  tryPut(key: Uint8Array, value: Uint8Array): void {
    this.operations.push(["put", key.slice(), value.slice()]);
  }

  tryDelete(key: Uint8Array): void {
    this.operations.push(["delete", key.slice()]);
  }

  tryDeleteRange(start: Uint8Array, end: Uint8Array): void {
    this.operations.push(["deleteRange", start.slice(), end.slice()]);
  }
}

function encode(operations: readonly Operation[]): Uint8Array {
  const memory = new RecordMemory();
  const list = new OperationWriter(memory, 5);
  for (const [kind, first, second] of operations as [string, Uint8Array, Uint8Array][]) {
    if (kind === "put") list.tryPut(first, second);
    else if (kind === "delete") list.tryDelete(first);
    else list.tryDeleteRange(first, second);
  }
  return new Uint8Array(memory.bytes.subarray(5, list.length));
}

function decode(bytes: Uint8Array): Operation[] {
  const told = new Told();
  doOperations(bytes, told);
  return told.operations;
}

const part = fc.uint8Array({ maxLength: 300 });
const operation = fc.oneof(
  fc.tuple(fc.constant("put" as const), part, part),
  fc.tuple(fc.constant("delete" as const), part),
  fc.tuple(fc.constant("deleteRange" as const), part, part),
);

test("operations come out as they went in, in order", () => {
  fc.assert(
    fc.property(fc.array(operation), (operations) => {
      const plain = operations.map(([kind, ...parts]) => [
        kind,
        ...parts.map((bytes) => Uint8Array.from(bytes)),
      ]);
      expect(decode(encode(operations))).toEqual(plain);
    }),
  );
});

test("what is put in is copied at once", () => {
  const memory = new RecordMemory();
  const list = new OperationWriter(memory, 0);
  const key = Uint8Array.of(1);
  const value = Uint8Array.of(2);
  for (let at = 0; at < 3; at++) {
    list.tryPut(key, value);
    list.tryDelete(key);
    list.tryDeleteRange(key, value);
    key[0] = 10 + at;
    value[0] = 20 + at;
  }
  const written = decode(memory.bytes.subarray(0, list.length)).map(([, ...parts]) =>
    parts.map(([byte]) => byte),
  );
  const expected = [1, 2, 10, 20, 11, 21];
  for (let at = 0; at < 3; at++) {
    const [first, second] = expected.slice(2 * at);
    expect(written.slice(3 * at, 3 * at + 3)).toEqual([[first, second], [first], [first, second]]);
  }
});

test("bytes that end anywhere within an operation are refused", () => {
  const bytes = encode([["put", Uint8Array.of(1, 2), Uint8Array.of(3)]]);
  for (let length = 1; length < bytes.length; length++) {
    expect(() => decode(bytes.subarray(0, length)), `${length} bytes`).toThrow(CodecError);
  }
});

test("an unknown operation is refused, and named", () => {
  expect(() => decode(Uint8Array.of(9))).toThrow("operation 9 is unknown");
});
