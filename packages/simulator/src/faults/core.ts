import type { NodeId } from "@seshat/common";

/** What a node that runs knows of the membership. */
export interface MemberView {
  readonly id: NodeId;
  /** The membership in force on it: where its entry is, and the voters. */
  readonly index: number;
  readonly configs: readonly (readonly NodeId[])[];
  readonly committed: number;
}

/**
 * Chooses at random a core that can do without everybody else: as few nodes as have a majority of each set of voters that may be in force.
 *
 * @returns null when even all of them have none.
 */
export function chooseCore(views: readonly MemberView[], random: () => number): NodeId[] | null {
  // Memberships before one that is known to be committed are not in force any more.
  const oldest = Math.max(
    0,
    ...views.filter((view) => view.index <= view.committed).map(({ index }) => index),
  );
  const sets = views.filter(({ index }) => index >= oldest).flatMap(({ configs }) => configs);
  const suffices = (ids: ReadonlySet<NodeId>): boolean =>
    sets.length > 0 && sets.every((voters) => voters.filter((id) => ids.has(id)).length * 2 > voters.length);
  const core = new Set(views.map(({ id }) => id));
  if (!suffices(core)) return null;
  const inAnyOrder = views.map(({ id }) => ({ id, at: random() })).sort((a, b) => a.at - b.at);
  for (const { id } of inAnyOrder) {
    core.delete(id);
    if (!suffices(core)) core.add(id);
  }
  return [...core].sort((a, b) => a - b);
}
