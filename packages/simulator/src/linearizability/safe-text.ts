/** How much of a text is shown, in characters. */
const SHOWN_CHARACTERS = 60;

/**
 * A text that is safe on a terminal and in XML: whatever is invisible, moves the cursor, turns the direction of writing
 * around or is no character at all is shown by its number.
 */
export function visible(text: string): string {
  return text.replaceAll(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Cut to `max` characters, never through one. */
export function shorten(text: string, max: number = SHOWN_CHARACTERS): string {
  // A character has at most two units, so this many hold one more than is shown.
  const characters = Array.from(text.slice(0, 2 * max + 2));
  return characters.length > max ? `${characters.slice(0, max - 1).join("")}…` : text;
}

/** A value of a client, in quotes, shortened and safe to show. */
export function quote(text: string): string {
  return visible(JSON.stringify(shorten(text)));
}

/** Text for the content or an attribute of an XML element. */
export function escapeXml(text: string): string {
  return visible(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
