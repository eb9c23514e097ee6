import type { LogId, StoreIdentity, TypeConfig, Vote } from "@seshat/common";
import { StorageError, ZERO_LOG_ID } from "@seshat/common";
import type { IoCompletion, LogState, RaftLogReader, RaftStorage } from "@seshat/storage";
import { Tally, VerificationError } from "./tally.js";

/** Commands and responses without content. */
export type EmptyConfig = TypeConfig<null, null>;

type Entry = EmptyConfig["Entry"];

const FIRST_CAPACITY = 1024;

/**
 * A log in memory, and nothing more: a ring of entries, addressed by index. It holds what Raft may ask for, and counts what was
 * appended.
 */
export class EmptyLog implements RaftStorage<EmptyConfig> {
  readonly appended: Tally = new Tally();
  #identity: StoreIdentity | null = null;
  #vote: Vote | null = null;
  /** By `index % length`; the length is a power of two. */
  #ring: (Entry | null)[] = new Array<Entry | null>(FIRST_CAPACITY).fill(null);
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
    const last = entries.at(-1) as Entry;
    if (last.logId.index - this.#purged.index > this.#ring.length)
      this.#grow(last.logId.index - this.#purged.index);
    const mask = this.#ring.length - 1;
    for (const entry of entries) this.#ring[entry.logId.index & mask] = entry;
    this.#last = last.logId;
    completion(null);
  }

  truncate(since: number): never {
    throw new VerificationError(`the log was truncated from entry ${since} on, without a fault`);
  }

  purge(upto: LogId): void {
    const mask = this.#ring.length - 1;
    for (let index = this.#purged.index + 1; index <= upto.index; index += 1) this.#ring[index & mask] = null;
    this.#purged = upto;
  }

  #at(index: number): Entry {
    return this.#ring[index & (this.#ring.length - 1)] as Entry;
  }

  #grow(needed: number): void {
    let capacity = this.#ring.length;
    while (capacity < needed) capacity *= 2;
    const ring = new Array<Entry | null>(capacity).fill(null);
    for (let index = this.#purged.index + 1; index <= this.#last.index; index += 1)
      ring[index & (capacity - 1)] = this.#at(index);
    this.#ring = ring;
  }
}
