import { RespWriter } from "@seshat/resp";
import { CLOSED, SILENT } from "./connection.ts";
import type { Outcome } from "./connection.ts";

const writer = new RespWriter();

/** The bytes of a reply, as Latin-1 text. The parser is strict: replies with the same text in both versions came in the same bytes. */
export function encoded(outcome: Outcome, version: 2 | 3 = 3): string {
  if (outcome === CLOSED || outcome === SILENT) return outcome;
  writer.write(outcome, version);
  return Buffer.concat(writer.take()).toString("latin1");
}

/** One line for people: as a command can be typed. */
export function quoted(args: readonly string[]): string {
  return args
    .map((arg) =>
      /^[\w:{}*.+-]+$/.test(arg)
        ? arg
        : `"${Array.from(arg.length > 80 ? `${arg.slice(0, 80)}...` : arg, escaped).join("")}"`,
    )
    .join(" ");
}

function escaped(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  const code = character.charCodeAt(0);
  return code >= 32 && code < 127 ? character : `\\x${code.toString(16).padStart(2, "0")}`;
}

/** A reply on one line. */
export function shown(outcome: Outcome): string {
  const text = JSON.stringify(encoded(outcome));
  return text.length > 300 ? `${text.slice(0, 300)}... (${text.length})` : text;
}
