import { CodecError } from "@seshat/common";
import { readU32 } from "@seshat/common/binary";
import type { RocksWriteBatch } from "../native/rocksdb.js";
import type { RecordMemory } from "./record-memory.js";

/*
 *   operations = operation, operation, ...
 *   operation  = 1, key, value     put
 *              | 2, key            delete
 *              | 3, start, end     delete everything from `start` on, up to `end` and without it
 *
 * Keys and values have their length before them (u32, big-endian).
 */
const PUT = 1;
const DELETE = 2;
const DELETE_RANGE = 3;
const LENGTH_BYTES = 4;

/** What takes operations: a batch, or what will be one. */
export type Operations = Pick<RocksWriteBatch, "tryPut" | "tryDelete" | "tryDeleteRange">;
/** Does its operations to what it is given, in order. A batch has what is put into it until it is written; what becomes a record is copied at once. */
export type Fill = (batch: Operations) => void;

/** Writes operations down in the memory of records. What is put in is copied at once. */
export class OperationWriter implements Operations {
  readonly #memory: RecordMemory;
  #length: number;

  /** @param headBytes left free before the first. */
  constructor(memory: RecordMemory, headBytes: number) {
    this.#memory = memory;
    this.#length = headBytes;
  }

  /** How many bytes there are, with what is left free before them. */
  get length(): number {
    return this.#length;
  }

  tryPut(key: Uint8Array, value: Uint8Array): void {
    this.#begin(PUT, 2 * LENGTH_BYTES + key.length + value.length);
    this.#part(key);
    this.#part(value);
  }

  tryDelete(key: Uint8Array): void {
    this.#begin(DELETE, LENGTH_BYTES + key.length);
    this.#part(key);
  }

  tryDeleteRange(start: Uint8Array, end: Uint8Array): void {
    this.#begin(DELETE_RANGE, 2 * LENGTH_BYTES + start.length + end.length);
    this.#part(start);
    this.#part(end);
  }

  #begin(kind: number, bytes: number): void {
    this.#memory.reserve(this.#length + 1 + bytes, this.#length);
    this.#memory.bytes[this.#memory.start + this.#length] = kind;
    this.#length += 1;
  }

  #part(part: Uint8Array): void {
    const { bytes, start } = this.#memory;
    this.#length = writePart(bytes, start + this.#length, part) - start;
  }
}

/**
 * Does the operations that stand in `bytes` to a batch, to which the bytes belong until it is written.
 *
 * @throws {CodecError} when the bytes are not what {@link OperationList} writes.
 */
export function doOperations(bytes: Uint8Array, batch: Operations): void {
  let at = 0;
  const part = (): Uint8Array => {
    const start = at + LENGTH_BYTES;
    const end = start > bytes.length ? Infinity : start + readU32(bytes, at);
    if (end > bytes.length) throw new CodecError("operations", at, "the bytes end too early");
    at = end;
    return bytes.subarray(start, end);
  };
  while (at < bytes.length) {
    const kind = bytes[at++];
    switch (kind) {
      case PUT:
        batch.tryPut(part(), part());
        break;
      case DELETE:
        batch.tryDelete(part());
        break;
      case DELETE_RANGE:
        batch.tryDeleteRange(part(), part());
        break;
      default:
        throw new CodecError("operations", at - 1, `operation ${kind} is unknown`);
    }
  }
}

function writePart(target: Uint8Array, at: number, part: Uint8Array): number {
  const { length } = part;
  target[at] = length >>> 24;
  target[at + 1] = length >>> 16;
  target[at + 2] = length >>> 8;
  target[at + 3] = length;
  target.set(part, at + LENGTH_BYTES);
  return at + LENGTH_BYTES + length;
}
