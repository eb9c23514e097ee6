import { RespCommandParser, RespProtocolError } from "@seshat/resp";
import type { RespCommandLimits } from "@seshat/resp";

/** One character for each byte, in both directions. */
export const bytes = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));
export const text = (data: Uint8Array): string => String.fromCharCode(...data);

/** What came out of a stream: the commands, and the error that ended them. */
export interface Parsed {
  readonly commands: readonly (readonly string[])[];
  readonly error?: string;
}

/** Cuts a stream at the given sizes, by turns, and overwrites each chunk once the parser may not look at it any more. */
export function parseStream(
  stream: Uint8Array,
  sizes: readonly number[],
  limits?: Partial<RespCommandLimits>,
): Parsed {
  const parser = new RespCommandParser(limits);
  const commands: string[][] = [];
  try {
    let at = 0;
    for (let turn = 0; at < stream.length; turn++) {
      const size = Math.max(1, sizes[turn % sizes.length] ?? stream.length);
      const chunk = stream.slice(at, at + size);
      at += size;
      parser.push(chunk);
      for (let args = parser.next(); args !== null; args = parser.next()) commands.push(args.map(text));
      chunk.fill(0xee);
    }
  } catch (error) {
    if (!(error instanceof RespProtocolError)) throw error;
    return { commands, error: error.message };
  }
  return { commands };
}
