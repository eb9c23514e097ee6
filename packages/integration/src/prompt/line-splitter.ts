import { CARRIAGE_RETURN, NEWLINE } from "./ascii.js";

/** One line of input, without its end. */
export interface Line {
  /** Its place in the input; the first line is 1. */
  readonly number: number;
  /** Its bytes, or null when it is longer than the limit. Valid until the splitter is used again. */
  readonly bytes: Uint8Array | null;
}

function withoutCarriageReturn(bytes: Uint8Array): Uint8Array {
  return bytes.length > 0 && bytes[bytes.length - 1] === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
}

/**
 * Cuts chunks of bytes into lines at each newline, wherever the chunks begin and end; one carriage
 * return before the newline belongs to the end of the line.
 *
 * It holds at most the part of one line that the next chunk goes on with, and no more of that than the
 * limit: the rest of a longer line is passed over.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #number = 0;
  /** The start of the line that has no end yet. */
  #held: Uint8Array = new Uint8Array(0);
  #heldBytes = 0;
  /** True while the line that has no end yet is longer than the limit. */
  #tooLong = false;

  /** @param maxBytes the longest line, its end not counted. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in `chunk`. */
  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      yield this.#finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** The last line, when the input does not end with a newline; otherwise null. */
  end(): Line | null {
    return this.#heldBytes === 0 && !this.#tooLong ? null : this.#finish(new Uint8Array(0));
  }

  #finish(tail: Uint8Array): Line {
    let whole = tail;
    if (this.#heldBytes > 0) {
      this.#hold(tail);
      whole = this.#held.subarray(0, this.#heldBytes);
    }
    const bytes = withoutCarriageReturn(whole);
    const tooLong = this.#tooLong || bytes.length > this.#maxBytes;
    this.#heldBytes = 0;
    this.#tooLong = false;
    this.#number += 1;
    return { number: this.#number, bytes: tooLong ? null : bytes };
  }

  #hold(piece: Uint8Array): void {
    if (this.#tooLong) return;
    const needed = this.#heldBytes + piece.length;
    // One byte more than the limit, for the carriage return of a line that is just short enough.
    if (needed > this.#maxBytes + 1) {
      this.#tooLong = true;
      this.#heldBytes = 0;
      this.#held = new Uint8Array(0);
      return;
    }
    if (needed > this.#held.length) {
      const larger = new Uint8Array(Math.min(Math.max(needed, this.#held.length * 2), this.#maxBytes + 1));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(piece, this.#heldBytes);
    this.#heldBytes = needed;
  }
}
