import type { RaftTypeConfig, Vote } from "@seshat/common";
import type { MaybePromise } from "./maybe-promise.js";

/** Reads what {@link RaftStorage} wrote. Several readers may be used at once, beside the writer. */
export interface RaftLogReader<C extends RaftTypeConfig> {
  /** The last vote saved, or null when none ever was. */
  readVote(): MaybePromise<Vote | null>;

  /**
   * Reads the entries from index `since` to index `upto`, both inclusive; none when `since > upto`.
   *
   * All of them must be there: the caller asks only for entries that were appended and not purged.
   * An implementation may return fewer to bound memory, but at least one, and always from `since` on.
   *
   * @throws {StorageError} when an entry of the range is missing.
   */
  readEntries(since: number, upto: number): MaybePromise<readonly C["Entry"][]>;
}
