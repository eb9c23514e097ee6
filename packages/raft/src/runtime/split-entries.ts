import type { LogEntry } from "@seshat/common";

/**
 * What an entry counts beside its command: less than what stands for it in the memory of who receives it, which is more than what goes over the wire
 * (log id, kind, framing: 32 bytes at most).
 */
const ENTRY_OVERHEAD_BYTES = 128;

/** Consecutive entries that travel in one message. */
export interface Portion<E> {
  readonly entries: readonly E[];
  readonly bytes: number;
}

/**
 * Cuts entries into portions of at most `maxBytes`; an entry that is larger by itself is a portion of its own.
 *
 * @returns at least one portion; the only one is empty when there are no entries.
 */
export function splitEntries<E extends LogEntry<unknown, unknown>>(
  entries: readonly E[],
  maxBytes: number,
  sizeOf: (data: unknown) => number,
): Portion<E>[] {
  let portions: Portion<E>[] | null = null;
  let first = 0;
  let bytes = 0;
  // By index: an iterator makes a pair for each entry, and this is done for every entry and follower.
  for (let i = 0; i < entries.length; i++) {
    const { payload } = entries[i] as E;
    const size = ENTRY_OVERHEAD_BYTES + (payload.type === "normal" ? sizeOf(payload.data) : 0);
    if (i > first && bytes + size > maxBytes) {
      portions ??= [];
      portions.push({ entries: entries.slice(first, i), bytes });
      first = i;
      bytes = 0;
    }
    bytes += size;
  }
  // Mostly all of them fit into one.
  if (portions === null) return [{ entries, bytes }];
  portions.push({ entries: entries.slice(first), bytes });
  return portions;
}
