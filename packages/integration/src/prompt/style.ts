import { styleText } from "node:util";

/** What colours mean here. */
export interface Style {
  /** Something that went wrong. */
  error(text: string): string;
  /** Something of less weight. */
  faint(text: string): string;
  /** Something to find at a glance. */
  strong(text: string): string;
}

const PLAIN: Style = { error: (text) => text, faint: (text) => text, strong: (text) => text };

const COLOURED: Style = {
  error: (text) => styleText("red", text, { validateStream: false }),
  faint: (text) => styleText("dim", text, { validateStream: false }),
  strong: (text) => styleText("bold", text, { validateStream: false }),
};

/**
 * Colours for a terminal, none for anything else, for a terminal that cannot show them (`TERM=dumb`), or for a
 * user who wants none (`NO_COLOR` is set and not empty: https://no-color.org).
 */
export function styleFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  const wanted = isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return wanted ? COLOURED : PLAIN;
}
