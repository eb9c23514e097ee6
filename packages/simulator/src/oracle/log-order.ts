import type { LogId, NodeId } from "@seshat/common";
import { compareLogIds, formatLogId } from "@seshat/common";
import type { ClusterMemory } from "./cluster-memory.js";
import type { EngineState, ObservedNode } from "./observed-node.js";
import { Violation } from "./violation.js";

/**
 * B9: whose log is at least as up to date as another's has all that the other knows to be committed; otherwise it could be elected without
 * it. What was committed in a term later than all the other has is left out: neither of the two logs can win then.
 *
 * @param changed whose commit index or last term is new: only pairs with it are looked at.
 */
export function checkUpToDate(
  changed: ObservedNode,
  nodes: ReadonlyMap<NodeId, ObservedNode>,
  memory: ClusterMemory,
): void {
  for (const other of nodes.values()) {
    if (other === changed) continue;
    checkPair(changed, other, memory);
    checkPair(other, changed, memory);
  }
}

function checkPair(one: ObservedNode, other: ObservedNode, memory: ClusterMemory): void {
  const { log } = one.state;
  const { last } = other.state.log;
  if (compareLogIds(log.last, last) < 0) return;
  const committed = memory.committedUpto(other.state.committed.index, last.term);
  if (committed === undefined || has(one.state, committed)) return;
  throw new Violation(
    "B9 up-to-date logs hold what is committed",
    `node ${one.id} ends at ${formatLogId(log.last)}, node ${other.id} at ${formatLogId(last)}, and only that has ${formatLogId(committed)}, which is committed`,
  );
}

function has({ log }: EngineState, { term, index }: LogId): boolean {
  return index <= log.purged.index || log.termAt(index) === term;
}
