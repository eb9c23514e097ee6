import type { Membership, NodeId } from "@seshat/common";
import { createMembership, isVoter } from "@seshat/common";
import type { Refusal } from "./command.js";
import type { MembershipChange } from "./event.js";

/** What a change of the membership comes to: pure functions from one membership to the next. */

/** Who is to belong to the cluster. */
export interface Target {
  readonly voters: ReadonlySet<NodeId>;
  readonly nodes: ReadonlyMap<NodeId, unknown>;
}

interface Draft {
  voters: Set<NodeId>;
  nodes: Map<NodeId, unknown>;
}

/**
 * Where a change leads from `current`, which is not joint.
 *
 * @param retain true to keep voters that are removed as learners.
 */
export function planChange(
  current: Membership<unknown>,
  change: MembershipChange<unknown>,
  retain: boolean,
): Target | Refusal {
  const draft: Draft = { voters: new Set(current.configs[0]), nodes: new Map(current.nodes) };
  const refusal = apply(draft, change, retain);
  if (refusal !== null) return refusal;
  if (draft.voters.size === 0) return invalid("no voter would be left");
  for (const id of draft.voters) {
    if (!draft.nodes.has(id)) return { code: "learnerNotFound", nodeId: id };
  }
  return draft;
}

/**
 * The first membership on the way to `target`: the target itself where the voters stay the same, and otherwise the joint one,
 * in which voters that are no members of the target remain until it is left (Raft paper section 6).
 */
export function firstStep(
  current: Membership<unknown>,
  target: Target,
  incarnations: ReadonlyMap<NodeId, number>,
): Membership<unknown> {
  const outgoing = current.configs[0] as readonly NodeId[];
  const { voters, nodes } = target;
  if (keepsVoters(current, target)) {
    return createMembership([voters], nodes, { incarnations });
  }
  const leaving = outgoing.filter((id) => !nodes.has(id));
  const staying = leaving.map((id): [NodeId, unknown] => [id, current.nodes.get(id)]);
  return createMembership([outgoing, voters], [...nodes, ...staying], { leaving, incarnations });
}

/** True when the same nodes vote before and after. */
export function keepsVoters({ configs }: Membership<unknown>, { voters }: Target): boolean {
  const outgoing = configs[0] as readonly NodeId[];
  return voters.size === outgoing.length && outgoing.every((id) => voters.has(id));
}

/** The voters of `target` that do not vote yet. */
export function newVoters(current: Membership<unknown>, target: Target): NodeId[] {
  return [...target.voters].filter((id) => !isVoter(current, id));
}

/** Changes the draft. @returns why it cannot be; null when it can. */
function apply(draft: Draft, change: MembershipChange<unknown>, retain: boolean): Refusal | null {
  switch (change.type) {
    case "replaceVoters":
      replaceVoters(draft, new Set(change.ids), retain);
      return null;
    case "addVoters":
      for (const id of change.ids) draft.voters.add(id);
      return null;
    case "removeVoters":
      replaceVoters(draft, new Set([...draft.voters].filter((id) => !change.ids.includes(id))), retain);
      return null;
    case "addNodes":
      for (const [id, node] of change.nodes) if (!draft.nodes.has(id)) draft.nodes.set(id, node);
      return null;
    case "setNodes":
      for (const [id, node] of change.nodes) draft.nodes.set(id, node);
      return null;
    case "removeNodes":
      return keepNodes(draft, (id) => !change.ids.includes(id));
    case "replaceNodes": {
      const nodes = new Map(change.nodes);
      const refusal = keepNodes(draft, (id) => nodes.has(id));
      for (const [id, node] of nodes) draft.nodes.set(id, node);
      return refusal;
    }
    case "batch":
      for (const inner of change.changes) {
        const refusal = apply(draft, inner, retain);
        if (refusal !== null) return refusal;
      }
      return null;
    default:
      return change satisfies never;
  }
}

function replaceVoters(draft: Draft, voters: Set<NodeId>, retain: boolean): void {
  if (!retain) for (const id of draft.voters) if (!voters.has(id)) draft.nodes.delete(id);
  draft.voters = voters;
}

function keepNodes(draft: Draft, stays: (id: NodeId) => boolean): Refusal | null {
  for (const id of draft.nodes.keys()) {
    if (stays(id)) continue;
    if (draft.voters.has(id)) return invalid(`node ${id} votes: remove it from the voters first`);
    draft.nodes.delete(id);
  }
  return null;
}

function invalid(problem: string): Refusal {
  return { code: "invalidChange", problem };
}
