/** How much of a refused value an error repeats, in UTF-16 units. */
const SHOWN_LENGTH = 200;

/** What {@link show} made of a value elsewhere, to be shown as it is. */
export class Shown {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value for people to read. Never throws and never grows with the value: it may be anything at all. */
export function show(value: unknown): string {
  if (value instanceof Shown) return value.text;
  const text = describe(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}

function describe(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN_LENGTH));
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  try {
    return String(
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner)),
    );
  } catch {
    return "an object that cannot be shown";
  }
}
