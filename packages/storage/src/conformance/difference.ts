/** How much of a value a difference repeats, in UTF-16 units. */
const SHOWN_LENGTH = 120;

/**
 * Where two values first differ, as a path and both sides; null when they are equal. Byte arrays of any class are compared by their
 * bytes, maps and sets by what they hold, other objects by their own fields, of which those that are undefined count as left out.
 */
export function findDifference(found: unknown, expected: unknown): string | null {
  if (found === expected || (Number.isNaN(found) && Number.isNaN(expected))) return null;
  if (found instanceof Uint8Array && expected instanceof Uint8Array) return bytesDifference(found, expected);
  if (found instanceof Map && expected instanceof Map) return mapDifference(found, expected);
  if (found instanceof Set && expected instanceof Set) {
    return mapDifference(new Map([...found].map((x) => [x, x])), new Map([...expected].map((x) => [x, x])));
  }
  if (Array.isArray(found) && Array.isArray(expected)) return arrayDifference(found, expected);
  if (isPlain(found) && isPlain(expected)) return fieldsDifference(found, expected);
  return differ(found, expected);
}

function bytesDifference(found: Uint8Array, expected: Uint8Array): string | null {
  if (found.length !== expected.length) return ` has ${found.length} bytes, not ${expected.length}`;
  const at = expected.findIndex((byte, i) => byte !== found[i]);
  return at === -1 ? null : ` has byte ${String(found[at])} at ${at}, not ${String(expected[at])}`;
}

function arrayDifference(found: readonly unknown[], expected: readonly unknown[]): string | null {
  if (found.length !== expected.length) return ` has ${found.length} items, not ${expected.length}`;
  for (const [i, item] of expected.entries()) {
    const difference = findDifference(found[i], item);
    if (difference !== null) return `[${i}]${difference}`;
  }
  return null;
}

function mapDifference(
  found: ReadonlyMap<unknown, unknown>,
  expected: ReadonlyMap<unknown, unknown>,
): string | null {
  for (const [key, value] of expected) {
    if (!found.has(key)) return ` lacks ${show(key)}`;
    const difference = findDifference(found.get(key), value);
    if (difference !== null) return `(${show(key)})${difference}`;
  }
  for (const key of found.keys()) if (!expected.has(key)) return ` has ${show(key)} too much`;
  return null;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsDifference(found: Fields, expected: Fields): string | null {
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const difference = findDifference(found[key], expected[key]);
    if (difference !== null) return `.${key}${difference}`;
  }
  return null;
}

function isPlain(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !(value instanceof Uint8Array || value instanceof Map || value instanceof Set);
}

function differ(found: unknown, expected: unknown): string {
  return ` is ${show(found)}, not ${show(expected)}`;
}

/** A value for people to read, and not all of it when it is long. */
function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "bigint" || typeof value === "symbol" || value === undefined) return String(value);
  if (typeof value === "function") return "a function";
  let text: string;
  try {
    text = String(JSON.stringify(value));
  } catch {
    text = "an object that cannot be shown";
  }
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}
