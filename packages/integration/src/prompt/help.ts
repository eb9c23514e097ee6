import type { CommandSet, CommandSpec } from "./command.js";
import { usageOf } from "./command.js";

const QUOTING = `A key or value with spaces stands between quotes. Between double quotes \\n \\r \\t \\b \\a, \\xHH (any byte), \\" and
\\\\ are understood; between single quotes only \\'. A line that starts with # is a comment.`;

/** What HELP answers: every command and the rules of quoting, or one command. No newline at the end. */
export function helpText(topic: CommandSpec | null, { specs }: CommandSet): string {
  if (topic !== null) return `${usageOf(topic)}\n  ${topic.summary}`;
  const width = Math.max(...specs.map((spec) => usageOf(spec).length));
  const list = specs.map((spec) => `  ${usageOf(spec).padEnd(width)}  ${spec.summary}`);
  return `${list.join("\n")}\n\n${QUOTING}`;
}

/**
 * What the tab key offers after `line`: the commands that go on from its first word, in the case in
 * which that was begun, and after HELP the same for the second word.
 *
 * @returns the offers and the part of the line that each of them replaces, as `node:readline` wants them.
 */
export function completeLine(line: string, { specs }: CommandSet): [string[], string] {
  const match = /^\s*(?:help\s+)?(\S*)$/i.exec(line);
  if (match === null) return [[], line];
  const begun = match[1] as string;
  const lower = begun !== "" && begun === begun.toLowerCase();
  const offers = specs
    .map((spec) => (lower ? spec.name.toLowerCase() : spec.name))
    .filter((name) => name.toUpperCase().startsWith(begun.toUpperCase()));
  return [offers.map((name) => `${name} `), begun];
}
