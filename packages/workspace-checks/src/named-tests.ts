/** A test that a document names: its file, and, where the document says more, a part of what it is called. */
export interface NamedTest {
  readonly file: string;
  /** Null when the document names the file alone. */
  readonly title: string | null;
  /** The line in the document, from 1. */
  readonly line: number;
}

const REFERENCE = /`(?<file>[\w./-]+\.test\.ts)`(?:: (?<title>[^|`]+?))?(?=\s*(?:[|,;]|$|`))/g;

/** The tests that a document names, as `` `file.test.ts` `` or `` `file.test.ts`: what it is called ``. */
export function findNamedTests(markdown: string): NamedTest[] {
  return markdown.split("\n").flatMap((text, index) =>
    [...text.matchAll(REFERENCE)].map((match) => ({
      file: match.groups?.["file"] ?? "",
      title: match.groups?.["title"]?.trim() ?? null,
      line: index + 1,
    })),
  );
}

/**
 * The tests among `named` that are not there.
 *
 * @param sources the text of every test file, by its path from the root of the workspace.
 */
export function findMissingTests(
  named: readonly NamedTest[],
  sources: ReadonlyMap<string, string>,
): NamedTest[] {
  return named.filter(({ file, title }) => {
    const found = [...sources].filter(([path]) => path === file || path.endsWith(`/${file}`));
    return !found.some(([, source]) => title === null || source.includes(title));
  });
}
