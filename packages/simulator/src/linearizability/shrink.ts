/**
 * Leaves out as many of `items` as it can while `holds` is true of those that are kept. `holds` is taken to be true of all of
 * them, and those that come first are taken to be the likeliest to matter: it looks for the shortest beginning that will
 * do, and then leaves out pieces of that, large ones first, down to one by one.
 *
 * If `holds` never becomes true by leaving more out, none of what is kept can be left out, unless it was told to stop.
 *
 * @param mayGoOn asked before each call of `holds`.
 */
export function shrink<T>(
  items: readonly T[],
  holds: (kept: readonly T[]) => boolean,
  mayGoOn: () => boolean = () => true,
): readonly T[] {
  let kept = items;
  for (let size = 0; size < items.length && mayGoOn(); size = size * 2 || 1) {
    if (!holds(items.slice(0, size))) continue;
    kept = items.slice(0, size);
    break;
  }
  for (let size = kept.length >>> 1; size >= 1; size = size >>> 1) {
    for (let at = 0; at < kept.length && mayGoOn();) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (holds(fewer)) kept = fewer;
      else at += size;
    }
  }
  return kept;
}
