import { InvalidValueError } from "../errors.js";
import type { LogId } from "../log-id.js";
import { ZERO_LOG_ID } from "../log-id.js";
import type { Vote } from "../vote.js";
import type { HardState } from "./messages.js";
import type { U64 } from "./u64.js";
import { fromU64 } from "./u64.js";

/** What a {@link HardState} says, in Seshat's types. */
export interface VoteAndCommitted {
  readonly vote: Vote;
  /** The last entry known to be committed; `ZERO_LOG_ID` when there is none. */
  readonly committed: LogId;
}

/**
 * Turns the hard state of a raft-rs node into its vote and the log id it knows to be committed.
 *
 * The hard state holds the commit *index* alone. The term of that log id is the term of the entry at the
 * index, which `termAt` has to look up; it is often older than the hard state's own term, and to mistake
 * one for the other makes up a log id that no entry ever had.
 *
 * The vote comes out as not committed: raft-rs does not record who won. A node learns it again from
 * the leader.
 *
 * @param termAt the term of the entry at `index`, from the raft-rs log, or from its snapshot's metadata
 *   when the log was compacted up to exactly there. Called once, and not at all when nothing is committed.
 * @throws {InvalidValueError} when a field is out of range, or the entry's term is missing or later than the
 *   hard state's, which means that log and hard state do not belong together.
 */
export function hardStateToVote(
  hardState: HardState,
  termAt: (index: number) => U64 | undefined,
): VoteAndCommitted {
  const term = fromU64("hardState.term", hardState.term, 0);
  const votedFor = fromU64("hardState.vote", hardState.vote, 0);
  const index = fromU64("hardState.commit", hardState.commit, 0);
  return {
    vote: { term, votedFor: votedFor === 0 ? null : votedFor, committed: false },
    committed:
      index === 0
        ? ZERO_LOG_ID
        : { term: checkCommittedTerm(`termAt(${index})`, termAt(index), term), index },
  };
}

/**
 * Turns a vote and the log id known to be committed into a hard state for raft-rs.
 *
 * Two facts are left out, because a hard state has no place for them: `vote.committed`, which a node learns
 * again, and `committed.term`, which the log at that index tells.
 *
 * @throws {InvalidValueError} when a field is out of range, or `committed` is of a later term than the vote.
 */
export function voteToHardState(vote: Vote, committed: LogId): HardState<number> {
  const term = fromU64("vote.term", vote.term, 0);
  checkCommittedTerm("committed.term", committed.term, term);
  return {
    term,
    vote: vote.votedFor === null ? 0 : fromU64("vote.votedFor", vote.votedFor, 1),
    commit: fromU64("committed.index", committed.index, 0),
  };
}

function checkCommittedTerm(field: string, value: U64 | undefined, latest: number): number {
  const term = fromU64(field, value, 0);
  if (term > latest) {
    throw new InvalidValueError(field, term, `at most ${latest}: no entry is of a later term than its node`);
  }
  return term;
}
