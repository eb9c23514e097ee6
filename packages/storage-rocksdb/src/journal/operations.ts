import { CodecError } from "@seshat/common";
import { readU32 } from "@seshat/common/binary";
import type { RocksWriteBatch } from "../native/rocksdb.js";

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
/** Does its operations to what it is given, in order. */
export type Fill = (batch: Operations) => void;

/** Collects operations, and writes them down where there is room for them. What is put in has to stay as it is until then. */
export class OperationList implements Operations {
  /** For each operation its kind, and what belongs to it. */
  readonly #kinds: number[] = [];
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  /** How many bytes they take. */
  get bytes(): number {
    return this.#bytes;
  }

  tryPut(key: Uint8Array, value: Uint8Array): void {
    this.#add(PUT, key);
    this.#addPart(value);
  }

  tryDelete(key: Uint8Array): void {
    this.#add(DELETE, key);
  }

  tryDeleteRange(start: Uint8Array, end: Uint8Array): void {
    this.#add(DELETE_RANGE, start);
    this.#addPart(end);
  }

  /** @param target has at least {@link bytes} from `start` on. */
  writeTo(target: Uint8Array, start: number): void {
    let at = start;
    let part = 0;
    for (const kind of this.#kinds) {
      target[at++] = kind;
      at = writePart(target, at, this.#parts[part++] as Uint8Array);
      if (kind !== DELETE) at = writePart(target, at, this.#parts[part++] as Uint8Array);
    }
  }

  #add(kind: number, key: Uint8Array): void {
    this.#kinds.push(kind);
    this.#bytes += 1;
    this.#addPart(key);
  }

  #addPart(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += LENGTH_BYTES + part.length;
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
