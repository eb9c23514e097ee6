const UPPER_A = 65;
const UPPER_Z = 90;
const TO_LOWER = 32;
const SLOTS = 4096;

interface Entry<T> {
  readonly name: Uint8Array;
  readonly value: T;
}

/** Values by names of ASCII characters. Looked up by the bytes of a name, in whatever case, without making a string of them. */
export class NameTable<T> {
  readonly #slots: (Entry<T>[] | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  /** The value of that name; undefined where there is none. */
  find(name: Uint8Array): T | undefined {
    const slot = this.#slots[slotOf(name)];
    if (slot === undefined) return undefined;
    for (let i = 0; i < slot.length; i++) {
      const entry = slot[i] as Entry<T>;
      if (isSame(entry.name, name)) return entry.value;
    }
    return undefined;
  }

  /** @param name in lower case. @returns false, and changes nothing, where it has a value already. */
  add(name: string, value: T): boolean {
    const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0));
    if (this.find(bytes) !== undefined) return false;
    (this.#slots[slotOf(bytes)] ??= []).push({ name: bytes, value });
    return true;
  }
}

function slotOf(name: Uint8Array): number {
  let hash = name.length;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + ((name[i] as number) | TO_LOWER)) | 0;
  return (hash ^ (hash >>> 12)) & (SLOTS - 1);
}

/** @param lower in lower case. */
function isSame(lower: Uint8Array, name: Uint8Array): boolean {
  if (lower.length !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const byte = name[i] as number;
    if (lower[i] !== (byte >= UPPER_A && byte <= UPPER_Z ? byte + TO_LOWER : byte)) return false;
  }
  return true;
}
