import type { CommandSpec } from "./command.js";
import { COMMANDS, usageOf } from "./command.js";

const QUOTING = `A key or value with spaces stands between quotes. Between double quotes \\n \\r \\t \\b \\a, \\xHH (any byte), \\" and
\\\\ are understood; between single quotes only \\'. A line that starts with # is a comment.`;

/** What HELP answers: every command and the rules of quoting, or all about one command. No newline at the end. */
export function helpText(topic: CommandSpec | null): string {
  if (topic !== null) {
    const { summary, details } = topic;
    const lines = [summary, ...(details === undefined ? [] : details.split("\n"))];
    return `${usageOf(topic)}\n${lines.map((line) => `  ${line}`).join("\n")}`;
  }
  const width = Math.max(...COMMANDS.map((spec) => usageOf(spec).length));
  const list = COMMANDS.map((spec) => `  ${usageOf(spec).padEnd(width)}  ${spec.summary}`);
  return `${list.join("\n")}\n\nA node is given by its number. HELP command tells more, e.g. HELP ADD.\n\n${QUOTING}`;
}

/**
 * What the tab key offers after `line`: the commands that go on from its first word, in the case in
 * which that was begun, and after HELP the same for the second word; after STATUS its option.
 *
 * @returns the offers and the part of the line that each of them replaces, as `node:readline` wants them.
 */
export function completeLine(line: string): [string[], string] {
  const option = /^\s*status\s+(\S*)$/i.exec(line);
  if (option !== null) {
    const begun = option[1] as string;
    return ["--watch".startsWith(begun.toLowerCase()) ? ["--watch "] : [], begun];
  }
  const match = /^\s*(?:help\s+)?(\S*)$/i.exec(line);
  if (match === null) return [[], line];
  const begun = match[1] as string;
  const lower = begun !== "" && begun === begun.toLowerCase();
  const offers = COMMANDS.map((spec) => (lower ? spec.name.toLowerCase() : spec.name)).filter((name) =>
    name.toUpperCase().startsWith(begun.toUpperCase()),
  );
  return [offers.map((name) => `${name} `), begun];
}
