import type { NodeId } from "@seshat/common";

/** How many of `voters` make a majority. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * The highest value that a majority of `voters` has reached: sort the values downwards and take the one in
 * the majority's last place. For match indexes that is what may be committed (Raft paper section 5.3).
 *
 * @param voters at least one id, each once.
 * @param about handed to `valueOf`, which then needs no closure: this is asked with every answer of a follower.
 */
export function quorumValue(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number;
export function quorumValue<A>(
  voters: readonly NodeId[],
  valueOf: (id: NodeId, about: A) => number,
  about: A,
): number;
export function quorumValue<A>(
  voters: readonly NodeId[],
  valueOf: (id: NodeId, about?: A) => number,
  about?: A,
): number {
  if (voters.length === 1) return valueOf(voters[0] as NodeId, about);
  // Counted for every answer of a follower: the usual three need no array.
  if (voters.length === 3) {
    const a = valueOf(voters[0] as NodeId, about);
    const b = valueOf(voters[1] as NodeId, about);
    const c = valueOf(voters[2] as NodeId, about);
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
  // For a handful of voters sorting by insertion costs least.
  const highest = new Array<number>(voters.length).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < voters.length; i++) {
    const value = valueOf(voters[i] as NodeId, about);
    let place = i;
    for (; place > 0 && (highest[place - 1] as number) < value; place--) {
      highest[place] = highest[place - 1] as number;
    }
    highest[place] = value;
  }
  return highest[majority(voters.length) - 1] as number;
}

/** True when a majority of `voters` has granted. */
export function hasQuorum(voters: readonly NodeId[], granted: ReadonlySet<NodeId>): boolean {
  let count = 0;
  for (const id of voters) if (granted.has(id)) count++;
  return count >= majority(voters.length);
}
