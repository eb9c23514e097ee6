import type { NodeId } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";

/**
 * Completes groups of nodes to a partition of all: each node that is in no group is a group of its own. Groups and their
 * nodes come out ascending.
 *
 * @param ids every node.
 * @throws {InvalidValueError} when there is no group, a group is empty, a node is unknown, or is named twice.
 */
export function completePartition(
  groups: readonly (readonly NodeId[])[],
  ids: readonly NodeId[],
): readonly (readonly NodeId[])[] {
  const refuse = (expected: string): never => {
    throw new InvalidValueError("groups", groups, expected);
  };
  if (groups.length === 0) refuse("at least one group");
  const seen = new Set<NodeId>();
  for (const group of groups) {
    if (group.length === 0) refuse("groups of at least one node each");
    for (const id of group) {
      if (!ids.includes(id)) refuse(`groups of the nodes ${ids.join(", ")}: there is no node ${id}`);
      if (seen.has(id)) refuse(`groups that have no node in common: node ${id} is named twice`);
      seen.add(id);
    }
  }
  const alone = ids.filter((id) => !seen.has(id)).map((id) => [id]);
  const all = [...groups.map((group) => group.toSorted((a, b) => a - b)), ...alone];
  return all.toSorted(([a = 0], [b = 0]) => a - b);
}
