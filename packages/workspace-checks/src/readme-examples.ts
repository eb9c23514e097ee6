/** One fenced block of a Markdown file. */
export interface Example {
  /** The file and line it begins at, e.g. `"packages/common/README.md:12"`. */
  readonly at: string;
  readonly code: string;
}

/** The blocks of a README that run, and the ones that should but are not marked so. */
export interface Examples {
  readonly runnable: readonly Example[];
  readonly problems: readonly string[];
}

/**
 * Takes the ```ts blocks out of a Markdown text. Any other spelling of the language (`typescript`, `js`,
 * `ts no-run`) is a problem, since such a block would rot unseen.
 */
export function findExamples(file: string, markdown: string): Examples {
  const runnable: Example[] = [];
  const problems: string[] = [];
  let open: { fence: string; info: string; line: number; body: string[] } | null = null;
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    if (open === null) {
      const match = /^ {0,3}(?<fence>`{3,}|~{3,})\s*(?<info>.*)$/.exec(text)?.groups;
      if (match !== undefined) {
        open = { fence: match["fence"] ?? "", info: (match["info"] ?? "").trim(), line: index + 1, body: [] };
      }
      continue;
    }
    if (!isClosing(text, open.fence)) {
      open.body.push(text);
      continue;
    }
    const at = `${file}:${open.line}`;
    if (open.info === "ts") runnable.push({ at, code: `${open.body.join("\n")}\n` });
    else if (/^(?:[cm]?[tj]sx?|typescript|javascript|node)\b/i.test(open.info)) {
      problems.push(`${at} is marked "${open.info}", but code that nobody runs rots: mark it ts`);
    }
    open = null;
  }
  if (open !== null) problems.push(`${file}:${open.line} opens a block that is never closed`);
  return { runnable, problems };
}

function isClosing(text: string, fence: string): boolean {
  const line = text.trim();
  return line.length >= fence.length && line === (fence[0] ?? "`").repeat(line.length);
}
