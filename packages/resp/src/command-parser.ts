import { CR, LF, ZERO } from "./ascii.js";
import { ByteInput, view } from "./byte-input.js";
import { parseLength } from "./parse-length.js";
import { splitInline } from "./inline-command.js";
import { RespProtocolError } from "./protocol-error.js";

const ASTERISK = 42;
const DOLLAR = 36;

/** What one argument costs beyond its bytes, roughly. Counted, so that a million empty arguments are not free. */
const ARGUMENT_OVERHEAD_BYTES = 64;

/** What is copied for a command that arrives in pieces lies in pieces of these sizes, each twice the one before. */
const FIRST_ARENA_BYTES = 256;
const MOST_ARENA_BYTES = 64 * 1024;
const EMPTY = new Uint8Array(0);

/** From Redis 7.0: what a client may send before it has said who it is. */
const UNAUTHENTICATED_ARGUMENTS = 10;
const UNAUTHENTICATED_BULK_BYTES = 16 * 1024;

/** How much one client may send for one command. What is past a limit is refused, never cut. */
export interface RespCommandLimits {
  /** The longest argument, in bytes. Default 512 MiB, as Redis's `proto-max-bulk-len`. */
  readonly maxBulkBytes: number;
  /** The most arguments, the command's name included. Default 1,048,576. */
  readonly maxArguments: number;
  /** The arguments of one command together, each counted with 64 bytes more. Default 1 GiB, as Redis's `client-query-buffer-limit`. */
  readonly maxCommandBytes: number;
  /** The longest line: an inline command, or a length. Default 64 KiB. */
  readonly maxInlineBytes: number;
}

const DEFAULT_LIMITS: RespCommandLimits = {
  maxBulkBytes: 512 * 1024 * 1024,
  maxArguments: 1024 * 1024,
  maxCommandBytes: 1024 * 1024 * 1024,
  maxInlineBytes: 64 * 1024,
};

/**
 * Commands out of the bytes of one client: arrays of bulk strings, and inline commands. Decides as Redis 7.0 does, by the
 * bytes alone: how they are cut into chunks changes nothing.
 *
 * Arguments are views of the chunk that they came in, or of memory of their own where a chunk ended within the command.
 * Whoever keeps one copies it: a view keeps its whole chunk alive. Once `next()` has answered null, the parser holds
 * no chunk any more, and its memory may be used again, as soon as the arguments are done with.
 */
export class RespCommandParser {
  /** Set it while the client has yet to authenticate: then Redis takes few and short arguments only. */
  unauthenticated = false;

  readonly #limits: RespCommandLimits;
  readonly #input: ByteInput;
  #args: Uint8Array[] = [];
  /** The arguments that do not lie in the chunk being read. */
  #owned = 0;
  /** Memory for more of them. */
  #arena: Uint8Array = EMPTY;
  #arenaBytes = FIRST_ARENA_BYTES;
  /** Arguments still to come. */
  #missing = 0;
  /** The length of the argument being read; -1 before it is known. */
  #bulkLength = -1;
  #commandBytes = 0;
  #error: RespProtocolError | null = null;

  constructor(limits: Partial<RespCommandLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#input = new ByteInput({ maxLineBytes: this.#limits.maxInlineBytes, strict: false });
  }

  /** Takes over a chunk: it must not change until `next()` has answered null. After an error it is dropped. */
  push(chunk: Uint8Array): void {
    if (this.#error === null) this.#input.push(chunk);
  }

  /** Bytes that were pushed and not yet given out, part of a command included. */
  get bufferedBytes(): number {
    return this.#input.bufferedBytes + this.#commandBytes;
  }

  /**
   * The arguments of the next complete command, at least one; null if more bytes are needed.
   *
   * @throws RespProtocolError, from then on at each call. Close the connection.
   */
  next(): Uint8Array[] | null {
    if (this.#error !== null) throw this.#error;
    try {
      for (;;) {
        const args = this.#read();
        if (args !== null) return args;
        this.#ownArguments();
        if (!this.#input.advance()) return null;
      }
    } catch (error) {
      if (error instanceof RespProtocolError) this.#fail(error);
      throw error;
    }
  }

  /** Reads within the current chunk. */
  #read(): Uint8Array[] | null {
    const input = this.#input;
    while (this.#missing === 0) {
      const first = input.peek();
      if (first === undefined) return null;
      if (first !== ASTERISK) {
        const line = input.takeLine(LF, "too big inline request");
        if (line === null) return null;
        const args = splitInline(line);
        if (args.length > 0) return args;
        continue;
      }
      const count = this.#readNumber(ASTERISK, "too big mbulk count string");
      if (count === null) return null;
      if (count > this.#limits.maxArguments) throw new RespProtocolError("invalid multibulk length");
      if (this.unauthenticated && count > UNAUTHENTICATED_ARGUMENTS) {
        throw new RespProtocolError("unauthenticated multibulk length");
      }
      // Redis takes an empty array, or one of negative length, for nothing at all.
      this.#missing = Math.max(count, 0);
    }
    while (this.#missing > 0) {
      if (this.#bulkLength === -1 && !this.#readBulkLength()) return null;
      const body = input.takeBody(this.#bulkLength);
      if (body === null) return null;
      this.#args.push(body);
      this.#bulkLength = -1;
      this.#missing -= 1;
    }
    const args = this.#args;
    this.#args = [];
    this.#commandBytes = 0;
    if (this.#owned > 0) this.#forgetOwned();
    return args;
  }

  #readBulkLength(): boolean {
    const length = this.#readNumber(DOLLAR, "too big bulk count string");
    if (length === null) return false;
    if (length < 0 || length > this.#limits.maxBulkBytes) throw new RespProtocolError("invalid bulk length");
    if (this.unauthenticated && length > UNAUTHENTICATED_BULK_BYTES) {
      throw new RespProtocolError("unauthenticated bulk length");
    }
    this.#commandBytes += length + ARGUMENT_OVERHEAD_BYTES;
    if (this.#commandBytes > this.#limits.maxCommandBytes) throw new RespProtocolError("too big request");
    this.#bulkLength = length;
    return true;
  }

  /** The number on the next line, after its mark; null if the line is not complete. */
  #readNumber(mark: typeof ASTERISK | typeof DOLLAR, tooLong: string): number | null {
    const input = this.#input;
    const { chunk, position } = input;
    if (!input.gathering && chunk[position] === mark) {
      // Nearly every line has few digits and lies within its chunk.
      const last = Math.min(position + 9, chunk.length - 2);
      let value = 0;
      let at = position + 1;
      for (; at <= last; at++) {
        const digit = (chunk[at] ?? 0) - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      // Zero, or a number that does not begin with it.
      const plain = at === position + 2 || (at > position + 2 && chunk[position + 1] !== ZERO);
      if (plain && at <= last && chunk[at] === CR) {
        input.position = at + 2;
        return value;
      }
    }
    const line = input.takeLine(CR, tooLong);
    if (line === null) return null;
    if (line[0] !== mark) throw new RespProtocolError(`expected '$', got '${shown(line[0])}'`);
    const value = parseLength(line, 1);
    if (value === undefined) {
      throw new RespProtocolError(mark === ASTERISK ? "invalid multibulk length" : "invalid bulk length");
    }
    return value;
  }

  /** Copies the arguments that lie in the chunk that ends here: into few large pieces, for there may be very many. */
  #ownArguments(): void {
    const args = this.#args;
    const { chunk } = this.#input;
    for (; this.#owned < args.length; this.#owned++) {
      const arg = args[this.#owned];
      // One that began in an earlier chunk has memory of its own already.
      if (arg === undefined || arg.buffer !== chunk.buffer) continue;
      if (arg.length > this.#arena.length) {
        this.#arena = new Uint8Array(Math.max(arg.length, this.#arenaBytes));
        this.#arenaBytes = Math.min(this.#arenaBytes * 2, MOST_ARENA_BYTES);
      }
      const copy = view(this.#arena, 0, arg.length);
      copy.set(arg);
      args[this.#owned] = copy;
      this.#arena = view(this.#arena, arg.length, this.#arena.length - arg.length);
    }
  }

  #forgetOwned(): void {
    this.#owned = 0;
    this.#arena = EMPTY;
    this.#arenaBytes = FIRST_ARENA_BYTES;
  }

  #fail(error: RespProtocolError): void {
    this.#error = error;
    this.#args = [];
    this.#forgetOwned();
    this.#commandBytes = 0;
    this.#missing = 0;
    while (this.#input.advance());
  }
}

/** As Redis shows it: an error has one line, and C's strings end at a NUL. */
function shown(byte: number | undefined): string {
  if (byte === undefined || byte === LF) return " ";
  return String.fromCharCode(byte);
}
