/** How much of a text travels with an error, in UTF-16 units. */
const MAX_TEXT_LENGTH = 4096;
/** How much of a code does. */
export const MAX_CODE_LENGTH = 64;

const ELLIPSIS = "...";

/** The text, or its beginning when it is longer than `length`. Cut once, it is not cut again. */
export function cut(text: string, length: number = MAX_TEXT_LENGTH): string {
  return text.length > length ? `${text.slice(0, length - ELLIPSIS.length)}${ELLIPSIS}` : text;
}
