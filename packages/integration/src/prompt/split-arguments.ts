import {
  BACKSLASH,
  BACKSPACE,
  BELL,
  CARRIAGE_RETURN,
  DOUBLE_QUOTE,
  LETTER_X,
  NEWLINE,
  SINGLE_QUOTE,
  SPACE,
  TAB,
  hexDigit,
  isSpace,
} from "./ascii.js";
import { BadLineError } from "./bad-line-error.js";

/** What a letter after a backslash stands for between double quotes; any other byte stands for itself. */
const ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x6e, NEWLINE],
  [0x72, CARRIAGE_RETURN],
  [0x74, TAB],
  [0x62, BACKSPACE],
  [0x61, BELL],
]);

/** The bytes that end a word outside quotes. Vertical tab and form feed do not: redis-cli reads it so. */
function endsWord(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === NEWLINE || byte === CARRIAGE_RETURN;
}

/** Reads one line from left to right. */
class ArgumentReader {
  readonly #line: Uint8Array;
  /** An argument is never longer than the text it is written with, so one buffer holds them all. */
  readonly #out: Uint8Array;
  #at = 0;
  #written = 0;

  constructor(line: Uint8Array) {
    this.#line = line;
    this.#out = new Uint8Array(line.length);
  }

  /** The next argument, or null at the end of the line. */
  next(): Uint8Array | null {
    while (this.#at < this.#line.length && isSpace(this.#line[this.#at] as number)) this.#at += 1;
    if (this.#at === this.#line.length) return null;
    const start = this.#written;
    while (this.#at < this.#line.length) {
      const byte = this.#line[this.#at] as number;
      if (endsWord(byte)) break;
      this.#at += 1;
      if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
        this.#readQuoted(byte);
        break;
      }
      this.#out[this.#written++] = byte;
    }
    return this.#out.subarray(start, this.#written);
  }

  /** Reads on from just behind an opening `mark` to just behind the closing one. */
  #readQuoted(mark: number): void {
    const opened = this.#at;
    for (;;) {
      if (this.#at === this.#line.length)
        throw new BadLineError(`the quote at column ${opened} is not closed`);
      const byte = this.#line[this.#at] as number;
      this.#at += 1;
      if (byte === mark) break;
      this.#out[this.#written++] = byte === BACKSLASH ? this.#readEscape(mark) : byte;
    }
    if (this.#at < this.#line.length && !isSpace(this.#line[this.#at] as number)) {
      throw new BadLineError(
        `the quote that closes at column ${this.#at} must be followed by a space or the end of the line`,
      );
    }
  }

  /** What stands for the bytes from just behind a backslash on. */
  #readEscape(mark: number): number {
    const next = this.#line[this.#at];
    if (next === undefined) return BACKSLASH;
    if (mark === SINGLE_QUOTE && next !== SINGLE_QUOTE) return BACKSLASH;
    this.#at += 1;
    if (mark === SINGLE_QUOTE) return SINGLE_QUOTE;
    if (next === LETTER_X) {
      const high = hexDigit(this.#line[this.#at]);
      const low = hexDigit(this.#line[this.#at + 1]);
      if (high !== -1 && low !== -1) {
        this.#at += 2;
        return high * 16 + low;
      }
    }
    return ESCAPES.get(next) ?? next;
  }
}

/**
 * Splits a line into arguments by the rules of redis-cli, on bytes: no byte is ever decoded as text.
 *
 * - Arguments stand apart by white space. Outside quotes a backslash is an ordinary byte.
 * - Between double quotes `\n \r \t \b \a` are control bytes, `\xHH` is the byte with that hexadecimal value,
 *   and a backslash before any other byte stands for that byte, so `\"` and `\\`.
 * - Between single quotes only `\'` is special.
 * - A quote may open inside a word and joins on to it. A closing quote is followed by white space or the end.
 *
 * The one difference: redis-cli takes a zero byte for the end of the line, here it is a byte like any other.
 *
 * @returns the arguments; none for a blank line. They share one buffer that nothing else uses.
 * @throws {BadLineError} when quotes are not closed, or are closed in the middle of a word.
 */
export function splitArguments(line: Uint8Array): Uint8Array[] {
  const reader = new ArgumentReader(line);
  const found: Uint8Array[] = [];
  for (let argument = reader.next(); argument !== null; argument = reader.next()) found.push(argument);
  return found;
}
