import type { LogId, StoreIdentity, TypeConfig, Vote } from "@seshat/common";
import { StorageError, ZERO_LOG_ID } from "@seshat/common";
import type { IoCompletion, LogState, RaftLogReader, RaftStorage } from "@seshat/storage";
import { Tally, VerificationError } from "./tally.js";

/** Commands and responses without content. */
export type EmptyConfig = TypeConfig<null, null>;

type Entry = EmptyConfig["Entry"];

const FIRST_CAPACITY = 1024;

/**
 * A log in memory, and nothing more: a ring of terms, addressed by index, from which an entry with an empty command is made again; others
 * are kept as they are. It holds what Raft may ask for, and counts what was appended. It makes no work for the collector of garbage that would be counted as
 * Raft's, however long it is.
 */
export class EmptyLog implements RaftStorage<EmptyConfig> {
  readonly appended: Tally = new Tally();
  #identity: StoreIdentity | null = null;
  #vote: Vote | null = null;
  /** By `index % length`; the length is a power of two. */
  #terms: Float64Array<ArrayBuffer> = new Float64Array(FIRST_CAPACITY);
  /** Entries that are no empty commands, by index: a blank one for each term, and memberships. */
  readonly #others = new Map<number, Entry>();
  #last: LogId = ZERO_LOG_ID;
  #purged: LogId = ZERO_LOG_ID;

  readIdentity(): StoreIdentity | null {
    return this.#identity;
  }

  saveIdentity(identity: StoreIdentity): void {
    this.#identity = identity;
  }

  readVote(): Vote | null {
    return this.#vote;
  }

  saveVote(vote: Vote): void {
    this.#vote = vote;
  }

  readLogState(): LogState {
    return { lastPurgedLogId: this.#purged, lastLogId: this.#last };
  }

  logReader(): RaftLogReader<EmptyConfig> {
    return this;
  }

  readEntries(since: number, upto: number): readonly Entry[] {
    if (since <= this.#purged.index || upto > this.#last.index)
      throw new StorageError("read log", `entries ${since} to ${upto} are not there`);
    const entries: Entry[] = [];
    for (let index = since; index <= upto; index += 1) entries.push(this.#at(index));
    return entries;
  }

  append(entries: readonly Entry[], completion: IoCompletion): void {
    this.appended.add(entries);
    const last = entries[entries.length - 1] as Entry;
    const needed = last.logId.index - this.#purged.index;
    if (needed > this.#terms.length) this.#grow(needed);
    const mask = this.#terms.length - 1;
    for (let i = 0; i < entries.length; i += 1) {
      const entry = entries[i] as Entry;
      this.#terms[entry.logId.index & mask] = entry.logId.term;
      if (entry.payload.type !== "normal") this.#others.set(entry.logId.index, entry);
    }
    this.#last = last.logId;
    completion(null);
  }

  truncate(since: number): never {
    throw new VerificationError(`the log was truncated from entry ${since} on, without a fault`);
  }

  purge(upto: LogId): void {
    for (const index of this.#others.keys()) if (index <= upto.index) this.#others.delete(index);
    this.#purged = upto;
  }

  #at(index: number): Entry {
    const term = this.#terms[index & (this.#terms.length - 1)] as number;
    return this.#others.get(index) ?? { logId: { term, index }, payload: { type: "normal", data: null } };
  }

  #grow(needed: number): void {
    let capacity = this.#terms.length;
    while (capacity < needed) capacity *= 2;
    const terms = new Float64Array(capacity);
    for (let index = this.#purged.index + 1; index <= this.#last.index; index += 1)
      terms[index & (capacity - 1)] = this.#terms[index & (this.#terms.length - 1)] as number;
    this.#terms = terms;
  }
}
