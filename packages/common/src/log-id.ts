/**
 * The identity of a log entry: no two different entries of a cluster ever share one (Log Matching,
 * Raft paper section 5.3).
 */
export interface LogId {
  /** The term of the leader that created the entry. The entry of `initialize` has term 0. */
  readonly term: number;
  /** The position in the log. The first entry has index 1. */
  readonly index: number;
}

/** The position before the first entry: the last log id of an empty log, the purged id of a whole one. */
export const ZERO_LOG_ID: LogId = Object.freeze({ term: 0, index: 0 });

/**
 * Orders log ids as elections do: the later term wins, then the longer log (Raft paper section 5.4.1).
 *
 * @returns a negative number, zero or a positive number, as `a` is older than, equal to or newer than `b`.
 */
export function compareLogIds(a: LogId, b: LogId): number {
  return a.term === b.term ? a.index - b.index : a.term - b.term;
}

/** True when both name the same entry. */
export function equalLogIds(a: LogId, b: LogId): boolean {
  return a.term === b.term && a.index === b.index;
}

/** A log id for people to read: `term-index`. */
export function formatLogId(logId: LogId): string {
  return `${logId.term}-${logId.index}`;
}
