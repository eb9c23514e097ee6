import { CR, LF } from "./ascii.js";
import { RespProtocolError } from "./protocol-error.js";

const EMPTY = new Uint8Array(0);

/** The first allocation for a bulk string that is announced and has not arrived: an announcement costs nothing. */
const FIRST_BODY_BYTES = 16 * 1024;
const FIRST_LINE_BYTES = 64;
const GROWTH = 4;
/** Memory from this on is given back at once. */
const LARGE_BYTES = 64 * 1024;

export interface ByteInputOptions {
  /** The longest line, without its end. */
  readonly maxLineBytes: number;
  /** Refuses lines and bulk strings that end in anything but CR LF. Redis itself looks at neither byte. */
  readonly strict: boolean;
}

/**
 * Chunks as they arrive, and lines and bulk strings out of them. What lies within one chunk comes out as a view of it.
 * What is cut by the end of a chunk is gathered in memory of its own, each byte once, growing with what arrived and not
 * with what was announced.
 */
export class ByteInput {
  /** The chunk that is read, and how far; for fast paths outside. */
  chunk: Uint8Array = EMPTY;
  position = 0;

  readonly #options: ByteInputOptions;
  #waiting: Uint8Array[] = [];
  #waitingFrom = 0;
  #waitingBytes = 0;
  #line: Uint8Array<ArrayBuffer> = EMPTY;
  #lineLength = 0;
  #body: Uint8Array<ArrayBuffer> = EMPTY;
  /** Of the bulk string and the two bytes that end it. */
  #bodyLength = 0;

  constructor(options: ByteInputOptions) {
    this.#options = options;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
  }

  /** Goes on to the next chunk, once this one is read. False if there is none. */
  advance(): boolean {
    const next = this.#waiting[this.#waitingFrom];
    if (next === undefined) {
      this.chunk = EMPTY;
      this.position = 0;
      return false;
    }
    this.chunk = next;
    this.position = 0;
    this.#waitingBytes -= next.length;
    this.#waitingFrom += 1;
    if (this.#waitingFrom === this.#waiting.length) {
      this.#waiting = [];
      this.#waitingFrom = 0;
    }
    return true;
  }

  /** Bytes that were pushed and are not part of anything that was taken. */
  get bufferedBytes(): number {
    return this.chunk.length - this.position + this.#waitingBytes + this.#lineLength + this.#bodyLength;
  }

  /** Whether part of a line or of a bulk string was gathered. */
  get gathering(): boolean {
    return this.#lineLength > 0 || this.#bodyLength > 0;
  }

  /** The first byte of the next line; undefined if it is not there. */
  peek(): number | undefined {
    return this.#lineLength > 0 ? this.#line[0] : this.chunk[this.position];
  }

  /**
   * The next line, without its end; null if this chunk does not complete it. Ends at `LF`, or at `CR` and one byte more.
   *
   * @throws RespProtocolError(tooLong) past the limit, whether the end has arrived or not.
   */
  takeLine(terminator: typeof CR | typeof LF, tooLong: string): Uint8Array | null {
    const { chunk } = this;
    const start = this.position;
    if (terminator === CR && this.#lineLength > 0 && this.#line[this.#lineLength - 1] === CR) {
      if (start === chunk.length) return null;
      this.#checkLineFeed(chunk[start]);
      this.position = start + 1;
      return this.#takeGatheredLine(this.#lineLength - 1);
    }
    const found = chunk.indexOf(terminator, start);
    const end = found === -1 ? chunk.length : found;
    if (this.#lineLength + end - start > this.#options.maxLineBytes) throw new RespProtocolError(tooLong);
    if (found === -1 || (terminator === CR && found + 1 === chunk.length)) {
      this.#gatherLine(chunk.length);
      return null;
    }
    if (terminator === CR) this.#checkLineFeed(chunk[found + 1]);
    const next = found + (terminator === CR ? 2 : 1);
    if (this.#lineLength === 0) {
      this.position = next;
      return view(chunk, start, found - start);
    }
    this.#gatherLine(found);
    this.position = next;
    return this.#takeGatheredLine(this.#lineLength);
  }

  /** The next `length` bytes, followed by two that end them; null if this chunk does not complete them. */
  takeBody(length: number): Uint8Array | null {
    const { chunk } = this;
    const start = this.position;
    if (this.#bodyLength === 0 && start + length + 2 <= chunk.length) {
      if (this.#options.strict && (chunk[start + length] !== CR || chunk[start + length + 1] !== LF))
        throw badEnd();
      this.position = start + length + 2;
      return view(chunk, start, length);
    }
    const take = Math.min(chunk.length - start, length + 2 - this.#bodyLength);
    const ofBody = Math.min(take, length - this.#bodyLength);
    if (ofBody > 0) {
      this.#body = roomFor(this.#body, this.#bodyLength, ofBody, FIRST_BODY_BYTES, length);
      this.#body.set(view(chunk, start, ofBody), this.#bodyLength);
    }
    if (this.#options.strict) {
      for (let at = Math.max(ofBody, 0); at < take; at++) {
        if (chunk[start + at] !== (this.#bodyLength + at === length ? CR : LF)) throw badEnd();
      }
    }
    this.#bodyLength += take;
    this.position = start + take;
    if (this.#bodyLength < length + 2) return null;
    const body = view(this.#body, 0, length);
    this.#body = EMPTY;
    this.#bodyLength = 0;
    return body;
  }

  #checkLineFeed(byte: number | undefined): void {
    if (this.#options.strict && byte !== LF) throw badEnd();
  }

  #gatherLine(end: number): void {
    const more = end - this.position;
    if (more > 0) {
      // One more than the line may have: the CR that ends it.
      this.#line = roomFor(
        this.#line,
        this.#lineLength,
        more,
        FIRST_LINE_BYTES,
        this.#options.maxLineBytes + 1,
      );
      this.#line.set(view(this.chunk, this.position, more), this.#lineLength);
      this.#lineLength += more;
    }
    this.position = end;
  }

  #takeGatheredLine(length: number): Uint8Array {
    const line = view(this.#line, 0, length);
    this.#line = EMPTY;
    this.#lineLength = 0;
    return line;
  }
}

/** Always a plain Uint8Array, whatever the chunk's class is. */
export function view(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
}

/**
 * `buffer` with room for `more` bytes after the first `used`: between `least` and `most`, and at least four times as much as before. So what is long is copied once again
 * by a third, and of what was announced and does not come no more than four times what came is reserved.
 */
function roomFor(
  buffer: Uint8Array<ArrayBuffer>,
  used: number,
  more: number,
  least: number,
  most: number,
): Uint8Array<ArrayBuffer> {
  const needed = used + more;
  if (needed <= buffer.length) return buffer;
  const grown = new Uint8Array(Math.min(most, Math.max(needed, buffer.length * GROWTH, least)));
  if (used > 0) grown.set(view(buffer, 0, used));
  // Nobody else has it. A collector that has to find that out for itself collects everything for each 64 MiB.
  if (buffer.length >= LARGE_BYTES) buffer.buffer.transfer(0);
  return grown;
}

function badEnd(): RespProtocolError {
  return new RespProtocolError("expected CR LF");
}
