import type { LogEntry, Request } from "@seshat/common";
import { CodecError } from "@seshat/common";
import { hashKey, mayDelete, toByteString, viewOperation } from "@seshat/storage/parts";
import { generationKey, writeGenerationKey } from "../keys.js";
import type { Operations } from "../journal/operations.js";
import type { RocksView } from "../native/rocksdb.js";

/** What stands before a key. */
export const DATA_KEY_BYTES = 6;
/** Records fetched at a time. */
const CAPACITY = 256;

/** The key under which a value stands: within a generation in the order in which snapshots have them. */
export function dataKey(generation: number, key: string): Uint8Array {
  const bytes = new Uint8Array(DATA_KEY_BYTES + key.length);
  writeDataKey(bytes, 0, generation, key);
  return bytes;
}

/** Writes such a key at `at`: `DATA_KEY_BYTES` more than `key` has. */
export function writeDataKey(bytes: Uint8Array, at: number, generation: number, key: string): void {
  writeGenerationKey(bytes, at, generation);
  bytes[at + DATA_KEY_BYTES - 1] = hashKey(key) & 0xff;
  const start = at + DATA_KEY_BYTES;
  for (let unit = 0; unit < key.length; unit++) bytes[start + unit] = key.charCodeAt(unit);
}

/** How many keys a generation has. */
export async function countData(view: RocksView, generation: number): Promise<number> {
  let count = 0;
  const range = { ...rangeOf(generation), values: false, capacity: CAPACITY };
  for await (const _ of view.iterator(range)) count += 1;
  return count;
}

/** The keys and values of a generation, in order. */
export async function* readData(
  view: RocksView,
  generation: number,
): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
  for await (const { key, value } of view.iterator({ ...rangeOf(generation), capacity: CAPACITY })) {
    yield [key.subarray(DATA_KEY_BYTES), value];
  }
}

function rangeOf(generation: number): { readonly gte: Uint8Array; readonly lt: Uint8Array } {
  return { gte: generationKey(generation), lt: generationKey(generation + 1) };
}

/** The keys, as byte strings, that `entries` delete: whether they are there decides what is answered. */
export function deletedKeys(entries: readonly LogEntry<Request>[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { payload } of entries) {
    if (payload.type !== "normal" || !mayDelete(payload.data.data)) continue;
    try {
      const operation = viewOperation(payload.data.data);
      if (operation.type === "del") for (const key of operation.keys) keys.add(toByteString(key));
    } catch (error) {
      // It will be answered as what it is.
      if (!(error instanceof CodecError)) throw error;
    }
  }
  return keys;
}

/** Which of `keys` are there. */
export async function existingKeys(
  view: RocksView,
  generation: number,
  keys: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  if (keys.size === 0) return keys;
  const batch = view.read();
  try {
    const values = [...keys].map((key) =>
      batch.get(dataKey(generation, key)).then((value) => ({ key, value })),
    );
    batch.tryFlush();
    const found = await Promise.all(values);
    return new Set(found.flatMap(({ key, value }) => (value === null ? [] : [key])));
  } finally {
    batch.destroy();
  }
}

/** What some commands change, before it is written. */
export class DataChanges {
  readonly #existing: ReadonlySet<string>;
  /** By key; null where it is deleted. */
  readonly #changes = new Map<string, Uint8Array | null>();

  /** @param existing those keys that the commands delete and that are there. */
  constructor(existing: ReadonlySet<string>) {
    this.#existing = existing;
  }

  set(key: string, value: Uint8Array): void {
    this.#changes.set(key, value);
  }

  delete(key: string): boolean {
    const change = this.#changes.get(key);
    const isThere = change === undefined ? this.#existing.has(key) : change !== null;
    if (isThere) this.#changes.set(key, null);
    return isThere;
  }

  /** Puts all into what is to be a record. */
  fill(batch: Pick<Operations, "tryPut" | "tryDelete">, generation: number): void {
    // Used again: it is copied at once.
    let written = new Uint8Array(0);
    // An iterator makes two objects for each change.
    this.#changes.forEach((value, key) => {
      const length = DATA_KEY_BYTES + key.length;
      if (written.length !== length) written = new Uint8Array(length);
      writeDataKey(written, 0, generation, key);
      if (value === null) batch.tryDelete(written);
      else batch.tryPut(written, value);
    });
  }

  get bytes(): number {
    let bytes = 0;
    this.#changes.forEach((value, key) => {
      bytes += DATA_KEY_BYTES + key.length + (value?.length ?? 0);
    });
    return bytes;
  }
}
