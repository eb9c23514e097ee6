import { CR, LF, MINUS, ZERO } from "./ascii.js";
import { formatDouble } from "./format-double.js";
import { OutputBlocks } from "./output-blocks.js";
import type { RespValue, RespVersion } from "./value.js";

const PLUS = 43;
const ERROR = 45;
const COLON = 58;
const DOLLAR = 36;
const ASTERISK = 42;
const PERCENT = 37;
const TILDE = 126;
const GREATER = 62;
const OPEN = 40;
const COMMA = 44;
const EQUALS = 61;
const SPACE = 32;

/** A mark, 20 characters of a 64 bit integer, CR LF. */
const HEADER_BYTES = 24;
/** From here on a bulk string is passed on as it is: cheaper than copying it. */
const BY_REFERENCE_BYTES = 4096;
/** Below this a loop beats a call. */
const LOOP_BYTES = 24;
const MOST_DEPTH = 128;

const encoder = new TextEncoder();
const ascii = (text: string): Uint8Array => encoder.encode(text);
const NULL_BULK = ascii("$-1\r\n");
const NULL_ARRAY = ascii("*-1\r\n");
const NULL = ascii("_\r\n");
const TRUE = ascii("#t\r\n");
const FALSE = ascii("#f\r\n");
const OK = ascii("+OK\r\n");
const QUEUED = ascii("+QUEUED\r\n");

/**
 * Replies into bytes, for one pipeline after another. Holds no memory between `take()` and the next `write()`.
 *
 * Bulk strings of 4 KiB and more are not copied: they must not change until they were sent.
 */
export class RespWriter {
  readonly #out = new OutputBlocks();

  /** @throws RangeError for arrays that are nested more than 128 deep. */
  write(value: RespValue, version: RespVersion): void {
    this.#write(value, version, 0);
  }

  /** Bytes written and not yet taken. */
  get length(): number {
    return this.#out.length;
  }

  /** Everything written since the last time, in order; none of them is empty. */
  take(): Uint8Array[] {
    return this.#out.take();
  }

  #write(value: RespValue, version: RespVersion, depth: number): void {
    if (value === null) return this.#bytes(version === 2 ? NULL_BULK : NULL);
    switch (typeof value) {
      case "number":
        return this.#header(COLON, value);
      case "bigint":
        return this.#line(COLON, value.toString());
      case "boolean":
        if (version === 2) return this.#header(COLON, value ? 1 : 0);
        return this.#bytes(value ? TRUE : FALSE);
      case "object":
        break;
      default:
        return value satisfies never;
    }
    if (value instanceof Uint8Array) return this.#bulk(value);
    if (isArray(value)) return this.#array(ASTERISK, value, version, depth);
    switch (value.type) {
      case "simple":
        if (value.text === "OK") return this.#bytes(OK);
        if (value.text === "QUEUED") return this.#bytes(QUEUED);
        return this.#line(PLUS, value.text);
      case "error":
        return this.#line(ERROR, withoutEnd(value.message));
      case "nullArray":
        return this.#bytes(version === 2 ? NULL_ARRAY : NULL);
      case "map": {
        const { entries } = value;
        this.#header(version === 2 ? ASTERISK : PERCENT, version === 2 ? entries.length * 2 : entries.length);
        const inner = deeper(depth);
        for (const [key, item] of entries) {
          this.#write(key, version, inner);
          this.#write(item, version, inner);
        }
        return;
      }
      case "pairs":
        return this.#array(ASTERISK, version === 2 ? value.entries.flat() : value.entries, version, depth);
      case "set":
        return this.#array(version === 2 ? ASTERISK : TILDE, value.items, version, depth);
      case "push":
        return this.#array(version === 2 ? ASTERISK : GREATER, value.items, version, depth);
      case "double": {
        const text = formatDouble(value.value);
        return version === 2 ? this.#bulk(encoder.encode(text)) : this.#line(COMMA, text);
      }
      case "bigNumber": {
        const text = value.value.toString();
        return version === 2 ? this.#bulk(encoder.encode(text)) : this.#line(OPEN, text);
      }
      case "verbatim": {
        if (version === 2) return this.#bulk(value.text);
        const format = encoder.encode(`${value.format}:`);
        this.#header(EQUALS, format.length + value.text.length);
        this.#bytes(format);
        return this.#body(value.text);
      }
      default:
        return value satisfies never;
    }
  }

  #array(mark: number, items: readonly RespValue[], version: RespVersion, depth: number): void {
    this.#header(mark, items.length);
    const inner = deeper(depth);
    for (const item of items) this.#write(item, version, inner);
  }

  #bulk(bytes: Uint8Array): void {
    this.#header(DOLLAR, bytes.length);
    this.#body(bytes);
  }

  #body(bytes: Uint8Array): void {
    const out = this.#out;
    const { length } = bytes;
    if (length >= BY_REFERENCE_BYTES) {
      out.append(bytes);
      out.reserve(2);
    } else {
      out.reserve(length + 2);
      const { block, at } = out;
      if (length < LOOP_BYTES)
        for (let index = 0; index < length; index++) block[at + index] = bytes[index] ?? 0;
      else block.set(bytes, at);
      out.at = at + length;
    }
    out.block[out.at++] = CR;
    out.block[out.at++] = LF;
  }

  #bytes(bytes: Uint8Array): void {
    const out = this.#out;
    out.reserve(bytes.length);
    const { block, at } = out;
    for (let index = 0; index < bytes.length; index++) block[at + index] = bytes[index] ?? 0;
    out.at = at + bytes.length;
  }

  /** A mark and an integer. */
  #header(mark: number, value: number): void {
    if (!Number.isSafeInteger(value))
      throw new RangeError(`an integer reply must be a safe integer or a bigint: ${value}`);
    const out = this.#out;
    out.reserve(HEADER_BYTES);
    const { block } = out;
    let { at } = out;
    block[at++] = mark;
    let rest = value;
    if (rest < 0) {
      block[at++] = MINUS;
      rest = -rest;
    }
    const end = at + digitsOf(rest);
    at = end;
    // Division of small integers is cheaper than of doubles.
    while (rest > 0x3fff_ffff) {
      const next = Math.floor(rest / 10);
      block[--at] = ZERO + (rest - next * 10);
      rest = next;
    }
    do {
      const next = (rest / 10) | 0;
      block[--at] = ZERO + (rest - next * 10);
      rest = next;
    } while (rest > 0);
    block[end] = CR;
    block[end + 1] = LF;
    out.at = end + 2;
  }

  #line(mark: number, text: string): void {
    const out = this.#out;
    const { length } = text;
    out.reserve(length + 3);
    const { block } = out;
    let { at } = out;
    block[at++] = mark;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0xff) return this.#wideLine(mark, text);
      block[at++] = code === CR || code === LF ? SPACE : code;
    }
    block[at++] = CR;
    block[at++] = LF;
    out.at = at;
  }

  #wideLine(mark: number, text: string): void {
    const bytes = encoder.encode(text.replaceAll(/[\r\n]/g, " "));
    const out = this.#out;
    out.reserve(bytes.length + 3);
    out.block[out.at] = mark;
    out.block.set(bytes, out.at + 1);
    out.at += bytes.length + 1;
    out.block[out.at++] = CR;
    out.block[out.at++] = LF;
  }
}

/** Redis takes line ends off the end of an error, where it makes blanks of those within. */
function withoutEnd(message: string): string {
  let { length } = message;
  while (length > 0 && (message.charCodeAt(length - 1) === CR || message.charCodeAt(length - 1) === LF))
    length--;
  return message.slice(0, length);
}

function deeper(depth: number): number {
  if (depth >= MOST_DEPTH) throw new RangeError(`a reply is nested more than ${MOST_DEPTH} deep`);
  return depth + 1;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}

/** `Array.isArray` takes the type of a readonly array away. */
function isArray(value: object): value is readonly RespValue[] {
  return Array.isArray(value);
}
