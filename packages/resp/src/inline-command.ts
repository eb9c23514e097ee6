import { CR } from "./ascii.js";
import { view } from "./byte-input.js";
import { RespProtocolError } from "./protocol-error.js";

const SPACE = 32;
const TAB = 9;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const BACKSLASH = 92;
const LOWER_X = 120;

/** What a backslash and this letter stand for between double quotes; any other letter stands for itself. */
const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ n: "\n", r: "\r", t: "\t", b: "\b", a: "\u0007" }).map(([letter, stands]) => [
    letter.charCodeAt(0),
    stands.charCodeAt(0),
  ]),
);

/**
 * The arguments of a command that was typed by hand, by Redis's rules: white space between them; between double quotes
 * `\n`, `\r`, `\t`, `\b`, `\a`, `\xHH` and `\` before any other character; between single quotes `\'` alone. A closing
 * quote ends the argument. They lie in new memory.
 *
 * A NUL is a byte like others. (Redis never gets past one: it waits for more of the line until the line is too long.)
 *
 * @throws RespProtocolError when quotes are not closed, or are followed by more of the argument.
 */
export function splitInline(line: Uint8Array): Uint8Array[] {
  const end = line.at(-1) === CR ? line.length - 1 : line.length;
  // Unquoting never makes anything longer, so one allocation holds all arguments.
  const out = new Uint8Array(end);
  const args: Uint8Array[] = [];
  let filled = 0;
  let at = 0;
  for (;;) {
    while (at < end && isSpace(line[at])) at++;
    if (at === end) return args;
    const start = filled;
    let quote = 0;
    for (;;) {
      const byte = line[at];
      if (at === end || byte === undefined) {
        if (quote !== 0) throw unbalanced();
        break;
      }
      if (quote === 0) {
        if (byte === SPACE || byte === TAB || byte === CR) break;
        at++;
        if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) quote = byte;
        else out[filled++] = byte;
      } else if (byte === quote) {
        at++;
        if (at < end && !isSpace(line[at])) throw unbalanced();
        break;
      } else if (
        byte === BACKSLASH &&
        at + 1 < end &&
        (quote === DOUBLE_QUOTE || line[at + 1] === SINGLE_QUOTE)
      ) {
        const letter = line[at + 1] ?? 0;
        const high = hexDigit(line[at + 2]);
        const low = hexDigit(line[at + 3]);
        if (quote === DOUBLE_QUOTE && letter === LOWER_X && at + 3 < end && high >= 0 && low >= 0) {
          out[filled++] = high * 16 + low;
          at += 4;
        } else {
          out[filled++] = quote === DOUBLE_QUOTE ? (ESCAPES.get(letter) ?? letter) : letter;
          at += 2;
        }
      } else {
        out[filled++] = byte;
        at++;
      }
    }
    args.push(view(out, start, filled - start));
  }
}

/** As C's `isspace`. */
function isSpace(byte: number | undefined): boolean {
  return byte !== undefined && (byte === SPACE || (byte >= TAB && byte <= CR));
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function unbalanced(): RespProtocolError {
  return new RespProtocolError("unbalanced quotes in request");
}
