import { CR, latin1 } from "./ascii.js";
import { ByteInput } from "./byte-input.js";
import { parseLength } from "./parse-length.js";
import { RespProtocolError } from "./protocol-error.js";
import type { RespValue } from "./value.js";

/** How much a server may send for one reply. */
export interface RespReplyLimits {
  /** The longest bulk string, in bytes. Default 512 MiB. */
  readonly maxBulkBytes: number;
  /** One reply together, each value in it counted with 64 bytes more. Default 1 GiB. */
  readonly maxReplyBytes: number;
  /** How deep arrays may lie in arrays. Default 128. */
  readonly maxDepth: number;
  /** The longest line: statuses, errors, numbers. Default 64 KiB. */
  readonly maxLineBytes: number;
}

const DEFAULT_LIMITS: RespReplyLimits = {
  maxBulkBytes: 512 * 1024 * 1024,
  maxReplyBytes: 1024 * 1024 * 1024,
  maxDepth: 128,
  maxLineBytes: 64 * 1024,
};

const VALUE_OVERHEAD_BYTES = 64;
const FORMAT_BYTES = 4;
const PLUS = 43;
const COLON = 58;

type Aggregate = "array" | "set" | "push" | "map" | "attribute";

/** An array, set or map that is not complete. */
interface Frame {
  readonly kind: Aggregate;
  missing: number;
  readonly items: RespValue[];
}

/** A bulk string that is being read: what it becomes, and its length. */
interface Bulk {
  readonly mark: string;
  readonly length: number;
}

const AGGREGATES: Readonly<Record<string, Aggregate>> = {
  "*": "array",
  "~": "set",
  ">": "push",
  "%": "map",
  "|": "attribute",
};

/**
 * Replies of either version out of the bytes of one server: for clients and for tests. Strict: a server that says
 * anything but the protocol is refused. Nesting takes no stack.
 *
 * Attributes are read and dropped. Bulk errors become errors. Byte arrays are views, as those of `RespCommandParser`.
 */
export class RespReplyParser {
  readonly #limits: RespReplyLimits;
  readonly #input: ByteInput;
  readonly #frames: Frame[] = [];
  #bulk: Bulk | null = null;
  #replyBytes = 0;
  #error: RespProtocolError | null = null;

  constructor(limits: Partial<RespReplyLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#input = new ByteInput({ maxLineBytes: this.#limits.maxLineBytes, strict: true });
  }

  /** Takes over a chunk: views of it are given out, so it must never change. */
  push(chunk: Uint8Array): void {
    if (this.#error === null) this.#input.push(chunk);
  }

  /**
   * The next complete reply; undefined if more bytes are needed (null is a reply).
   *
   * @throws RespProtocolError, from then on at each call.
   */
  next(): RespValue | undefined {
    if (this.#error !== null) throw this.#error;
    try {
      for (;;) {
        const value = this.#read();
        if (value !== undefined) return value;
        if (!this.#input.advance()) return undefined;
      }
    } catch (error) {
      if (error instanceof RespProtocolError) this.#error = error;
      throw error;
    }
  }

  #read(): RespValue | undefined {
    for (;;) {
      const value = this.#bulk === null ? this.#readLine() : this.#readBulk(this.#bulk);
      if (value === "incomplete") return undefined;
      if (value === "more") continue;
      const whole = this.#place(value.value);
      if (whole === undefined) continue;
      this.#replyBytes = 0;
      return whole.value;
    }
  }

  /** One line: a value, or the beginning of a longer one. */
  #readLine(): Step {
    const line = this.#input.takeLine(CR, "too long a line");
    if (line === null) return "incomplete";
    this.#charge(line.length + VALUE_OVERHEAD_BYTES);
    const mark = String.fromCharCode(line[0] ?? 0);
    switch (mark) {
      case "+":
        return { value: { type: "simple", text: latin1(line.subarray(1)) } };
      case "-":
        return { value: { type: "error", message: latin1(line.subarray(1)) } };
      case ":":
        return { value: integer(line) };
      case "_":
        if (line.length > 1) throw new RespProtocolError("invalid null");
        return { value: null };
      case "#":
        return { value: boolean(line) };
      case ",":
        return { value: { type: "double", value: double(line) } };
      case "(":
        return { value: { type: "bigNumber", value: digits(line, "invalid big number") } };
      case "$":
      case "=":
      case "!":
        return this.#beginBulk(mark, parseLength(line, 1));
      case "*":
      case "~":
      case ">":
      case "%":
      case "|":
        return this.#beginAggregate(mark, parseLength(line, 1));
      default:
        throw new RespProtocolError(`unknown type of reply: ${JSON.stringify(mark)}`);
    }
  }

  #beginBulk(mark: string, length: number | undefined): Step {
    if (mark === "$" && length === -1) return { value: null };
    const least = mark === "=" ? FORMAT_BYTES : 0;
    if (length === undefined || length < least || length > this.#limits.maxBulkBytes) {
      throw new RespProtocolError("invalid bulk length");
    }
    this.#charge(length);
    this.#bulk = { mark, length };
    return "more";
  }

  #readBulk({ mark, length }: Bulk): Step {
    const body = this.#input.takeBody(length);
    if (body === null) return "incomplete";
    this.#bulk = null;
    if (mark === "$") return { value: body };
    if (mark === "!") return { value: { type: "error", message: latin1(body) } };
    if (body[FORMAT_BYTES - 1] !== COLON) throw new RespProtocolError("invalid verbatim string");
    const format = latin1(body.subarray(0, FORMAT_BYTES - 1));
    return { value: { type: "verbatim", format, text: body.subarray(FORMAT_BYTES) } };
  }

  #beginAggregate(mark: string, count: number | undefined): Step {
    const kind = AGGREGATES[mark] ?? "array";
    if (kind === "array" && count === -1) return { value: { type: "nullArray" } };
    if (count === undefined || count < 0) throw new RespProtocolError("invalid length of an aggregate");
    const missing = kind === "map" || kind === "attribute" ? count * 2 : count;
    if (missing * VALUE_OVERHEAD_BYTES > this.#limits.maxReplyBytes - this.#replyBytes) throw tooLarge();
    if (missing === 0) return kind === "attribute" ? "more" : { value: aggregate(kind, []) };
    if (this.#frames.length >= this.#limits.maxDepth) throw new RespProtocolError("too deep a reply");
    this.#frames.push({ kind, missing, items: [] });
    return "more";
  }

  /** Puts a value where it belongs; the whole reply if that completes it. */
  #place(value: RespValue): { readonly value: RespValue } | undefined {
    let placed = value;
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return { value: placed };
      frame.items.push(placed);
      frame.missing -= 1;
      if (frame.missing > 0) return undefined;
      this.#frames.pop();
      // The value that an attribute speaks of comes after it, in its place.
      if (frame.kind === "attribute") return undefined;
      placed = aggregate(frame.kind, frame.items);
    }
  }

  #charge(bytes: number): void {
    this.#replyBytes += bytes;
    if (this.#replyBytes > this.#limits.maxReplyBytes) throw tooLarge();
  }
}

type Step = "incomplete" | "more" | { readonly value: RespValue };

function aggregate(kind: Exclude<Aggregate, "attribute">, items: RespValue[]): RespValue {
  if (kind === "array") return items;
  if (kind !== "map") return { type: kind, items };
  const entries: (readonly [RespValue, RespValue])[] = [];
  for (let index = 0; index < items.length; index += 2)
    entries.push([items[index] ?? null, items[index + 1] ?? null]);
  return { type: "map", entries };
}

function integer(line: Uint8Array): number | bigint {
  const value = parseLength(line, line[1] === PLUS ? 2 : 1);
  if (value === undefined) throw new RespProtocolError("invalid integer");
  return Number.isSafeInteger(value) ? value : digits(line, "invalid integer");
}

function digits(line: Uint8Array, problem: string): bigint {
  const text = latin1(line.subarray(1));
  if (!/^[+-]?\d+$/.test(text)) throw new RespProtocolError(problem);
  return BigInt(text);
}

function boolean(line: Uint8Array): boolean {
  const text = latin1(line);
  if (text !== "#t" && text !== "#f") throw new RespProtocolError("invalid boolean");
  return text === "#t";
}

function double(line: Uint8Array): number {
  const text = latin1(line.subarray(1));
  if (/^-?nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?inf$/i.test(text))
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (!/^[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(text)) throw new RespProtocolError("invalid double");
  return Number(text);
}

function tooLarge(): RespProtocolError {
  return new RespProtocolError("too large a reply");
}
