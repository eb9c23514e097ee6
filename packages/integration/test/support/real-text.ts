import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULES = fileURLToPath(new URL("../../../../node_modules/.pnpm", import.meta.url));
const TEXT_FILE = /^(licen[cs]e.*|readme.*|package\.json|.*\.d\.[cm]?ts)$/i;
const NEWLINE = 0x0a;

/**
 * A large real text: the first `count` lines of the licences, manifests, readmes and type declarations of
 * the packages that this workspace has installed, as bytes without their ends.
 *
 * @throws when they have fewer lines.
 */
export function realTextLines(count: number, longest: number): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (const path of textFiles(MODULES)) {
    const content = readFileSync(path);
    let start = 0;
    while (start < content.length) {
      const newline = content.indexOf(NEWLINE, start);
      const end = newline === -1 ? content.length : newline;
      if (end - start <= longest) lines.push(content.subarray(start, end));
      start = end + 1;
      if (lines.length === count) return lines;
    }
  }
  throw new Error(`the installed packages have ${lines.length} lines of text, but ${count} are needed`);
}

/** The text files below a folder, in an order that depends on their names alone. */
function* textFiles(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* textFiles(path);
    else if (entry.isFile() && TEXT_FILE.test(entry.name)) yield path;
  }
}
