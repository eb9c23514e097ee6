import type { LogId, NodeId } from "@seshat/common";
import { formatLogId, formatVote } from "@seshat/common";
import type { ObservedNode } from "./observed-node.js";
import { Violation } from "./violation.js";

/** A12: no answer leaves a node before what it promises is durable. */

const RULE = "A12 durable before said";

/** A vote is granted once it is durable. */
export function checkVoteAnswer(
  { id, durableVote }: ObservedNode,
  request: { readonly term: number; readonly candidateId: NodeId },
  response: { readonly granted: boolean },
): void {
  if (!response.granted) return;
  const { term, votedFor } = durableVote;
  if (term < request.term || (term === request.term && votedFor !== request.candidateId)) {
    throw new Violation(
      RULE,
      `node ${id} grants a vote in term ${request.term}, and ${formatVote(durableVote)} is durable`,
    );
  }
}

/** Entries are acknowledged once they are durable. What was durable when the answer was due may have been truncated since, in the same term. */
export function checkAppendAnswer(
  node: ObservedNode,
  response: { readonly type: string; readonly term: number; readonly matchIndex: number },
): void {
  if (response.type !== "success" || response.term !== node.durableTerm) return;
  const durable = Math.max(node.durableHigh, node.held);
  if (response.matchIndex > durable) {
    throw new Violation(
      RULE,
      `node ${node.id} acknowledges ${response.matchIndex}, and ${durable} is durable`,
    );
  }
}

/** A snapshot is said to be installed once all that it holds is durable, in it or in the log. */
export function checkSnapshotAnswer(
  node: ObservedNode,
  { meta }: { readonly meta: { readonly lastLogId: LogId } },
  response: { readonly type: string; readonly term: number },
): void {
  if (response.type !== "installed" || response.term !== node.durableTerm) return;
  const durable = Math.max(node.durableHigh, node.held);
  if (meta.lastLogId.index > durable) {
    throw new Violation(
      RULE,
      `node ${node.id} says that it holds the snapshot ${formatLogId(meta.lastLogId)}, and ${durable} is durable`,
    );
  }
}

/** A vote is asked for once the candidate's vote for itself is durable: it counts as one that was given. */
export function checkCandidacy({ id, durableVote }: ObservedNode, term: number): void {
  // Who founds a cluster asks itself as well, in the order of ids, and goes on when it has been given all votes.
  if (term === 0) return;
  if (term < durableVote.term || durableVote.votedFor === id) return;
  throw new Violation(
    RULE,
    `node ${id} asks for votes in term ${term}, and ${formatVote(durableVote)} is durable`,
  );
}

/** B11: no answer says a term that a crash could take back, refusals included. */
export function checkTermOfAnswer(
  { id, durableVote }: ObservedNode,
  rpc: string,
  { term }: { readonly term: number },
): void {
  if (term <= durableVote.term) return;
  throw new Violation(
    "B11 terms are durable before they are said",
    `node ${id} answers ${rpc} in term ${term}, but only ${durableVote.term} is durable`,
  );
}
