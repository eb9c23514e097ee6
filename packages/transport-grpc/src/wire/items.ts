import { InvalidValueError } from "@seshat/common";
import { LENGTH_DELIMITED, varintLength, writeVarint } from "./varint.js";

/*
 * The messages of seshat.forward.v1, by hand: both are lists of items with an id and some bytes. They are read one item after the other,
 * so that a message with millions of them costs no more than its bytes. A test holds this to what is generated from the schema.
 */

/** A call, or an answer to one. */
export interface Item {
  readonly id: number;
  /** Which field `bytes` is: `PAYLOAD` or `ERROR`. */
  readonly field: number;
  readonly bytes: Uint8Array;
}

/** Messages are filled up to here. A larger item goes alone. */
export const MAX_BATCH_BYTES: number = 64 * 1024;

export const PAYLOAD = 2;
export const ERROR = 3;

const ID = 1;
const ITEMS = 1;
/** How protobuf writes what kind of value follows. */
const VARINT = 0;
const FIXED64 = 1;
const FIXED32 = 5;

/** How many bytes an item takes in a message. */
export function itemLength(item: Item): number {
  const body = bodyLength(item);
  return 1 + varintLength(body) + body;
}

/** @param length the sum of the lengths of the items. */
export function writeItems(items: Iterable<Item>, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const item of items) {
    bytes[at++] = (ITEMS << 3) | LENGTH_DELIMITED;
    at = writeVarint(bytes, at, bodyLength(item));
    bytes[at++] = (ID << 3) | VARINT;
    at = writeVarint(bytes, at, item.id);
    bytes[at++] = (item.field << 3) | LENGTH_DELIMITED;
    at = writeVarint(bytes, at, item.bytes.length);
    bytes.set(item.bytes, at);
    at += item.bytes.length;
  }
  return bytes;
}

/** Takes the items of a message one by one. Their bytes are parts of the message. */
export class ItemReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(message: Uint8Array) {
    // An application gets parts of it, and no `Buffer`.
    this.#bytes = new Uint8Array(message.buffer, message.byteOffset, message.length);
  }

  /** @returns null after the last. @throws {InvalidValueError} when the bytes are no message. */
  next(): Item | null {
    while (this.#at < this.#bytes.length) {
      const tag = this.#varint();
      if (tag === ((ITEMS << 3) | LENGTH_DELIMITED)) return this.#item(this.#end());
      this.#skip(tag);
    }
    return null;
  }

  #item(end: number): Item {
    let id = 0;
    // What a protobuf writer leaves out because it is empty.
    let field = PAYLOAD;
    let bytes: Uint8Array = NO_BYTES;
    while (this.#at < end) {
      const tag = this.#varint();
      if (tag === ((ID << 3) | VARINT)) id = this.#varint();
      else if (tag === ((PAYLOAD << 3) | LENGTH_DELIMITED) || tag === ((ERROR << 3) | LENGTH_DELIMITED)) {
        const until = this.#end();
        field = tag >>> 3;
        bytes = this.#bytes.subarray(this.#at, until);
        this.#at = until;
      } else this.#skip(tag);
    }
    if (this.#at > end) throw this.#malformed("a field that ends with its message");
    return { id, field, bytes };
  }

  /** Reads a length. @returns where that ends, which is within the message. */
  #end(): number {
    const length = this.#varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#malformed("a field that ends with its message");
    return end;
  }

  /** An unsigned integer of 32 bits. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw this.#malformed("a whole number");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > MAX_UINT32) break;
        return value;
      }
    }
    throw this.#malformed("a number of 32 bits");
  }

  /** Passes over a field of a later version. */
  #skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        for (let length = 1; (this.#bytes[this.#at++] ?? 0) >= 0x80; length++) {
          if (length === MAX_VARINT) throw this.#malformed("a number of 64 bits");
        }
        break;
      case FIXED64:
        this.#at += 8;
        break;
      case LENGTH_DELIMITED:
        this.#at = this.#end();
        break;
      case FIXED32:
        this.#at += 4;
        break;
      default:
        throw this.#malformed("a known kind of field");
    }
    if (this.#at > this.#bytes.length) throw this.#malformed("a field that ends with its message");
  }

  #malformed(expected: string): InvalidValueError {
    return new InvalidValueError("message", `something else at byte ${this.#at}`, expected);
  }
}

const NO_BYTES = new Uint8Array(0);
const MAX_UINT32 = 2 ** 32 - 1;
/** The longest varint of protobuf, in bytes. */
const MAX_VARINT = 10;

function bodyLength({ id, bytes }: Item): number {
  return 1 + varintLength(id) + 1 + varintLength(bytes.length) + bytes.length;
}
