import type { NodeId } from "./node.js";

/**
 * What a node has promised (Raft paper figure 2, `currentTerm` and `votedFor`): kept durably, because
 * a node that forgot it could vote twice in one term.
 *
 * Within one term a vote only ever gains: first nobody, then one candidate, then that candidate
 * committed. It never moves from one candidate to another.
 */
export interface Vote {
  /** The latest term this node has seen. Starts at 0. */
  readonly term: number;
  /** Who received this node's vote in `term`, or null while it has given none. */
  readonly votedFor: NodeId | null;
  /** True once `votedFor` is known to have won the election of `term`. */
  readonly committed: boolean;
}

/** The vote of a node that has never seen an election. */
export const ZERO_VOTE: Vote = Object.freeze({ term: 0, votedFor: null, committed: false });

/** True when both promise the same. */
export function equalVotes(a: Vote, b: Vote): boolean {
  return a.term === b.term && a.votedFor === b.votedFor && a.committed === b.committed;
}

/**
 * True when a node that has promised `from` may promise `to`: a later term, or the same term with
 * more decided. Equal votes may follow each other.
 */
export function voteMayBecome(from: Vote, to: Vote): boolean {
  if (to.term !== from.term) return to.term > from.term;
  if (from.votedFor !== null && to.votedFor !== from.votedFor) return false;
  return to.committed || !from.committed;
}

/** A vote for people to read: `T3`, `T3:n2` or, once committed, `T3:n2!`. */
export function formatVote(vote: Vote): string {
  if (vote.votedFor === null) return `T${vote.term}`;
  return `T${vote.term}:n${vote.votedFor}${vote.committed ? "!" : ""}`;
}
