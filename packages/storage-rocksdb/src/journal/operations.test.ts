import { CodecError } from "@seshat/common";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Operations } from "./operations.js";
import { OperationList, doOperations } from "./operations.js";

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
  const list = new OperationList();
  for (const [kind, first, second] of operations as [string, Uint8Array, Uint8Array][]) {
    if (kind === "put") list.tryPut(first, second);
    else if (kind === "delete") list.tryDelete(first);
    else list.tryDeleteRange(first, second);
  }
  const bytes = new Uint8Array(list.bytes + 5);
  list.writeTo(bytes, 5);
  return bytes.subarray(5);
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

test("bytes that end anywhere within an operation are refused", () => {
  const bytes = encode([["put", Uint8Array.of(1, 2), Uint8Array.of(3)]]);
  for (let length = 1; length < bytes.length; length++) {
    expect(() => decode(bytes.subarray(0, length)), `${length} bytes`).toThrow(CodecError);
  }
});

test("an unknown operation is refused, and named", () => {
  expect(() => decode(Uint8Array.of(9))).toThrow("operation 9 is unknown");
});
