import type { LogEntry, LogId, StoredMembership, Vote } from "@seshat/common";
import { EMPTY_STORED_MEMBERSHIP, ZERO_LOG_ID, ZERO_VOTE, equalLogIds } from "@seshat/common";
import type {
  AppendCommand,
  PurgeCommand,
  SaveCommittedCommand,
  SaveVoteCommand,
  TruncateCommand,
} from "../../src/engine/command.js";

export type Entry = LogEntry<unknown, unknown>;
export type Write = SaveVoteCommand | AppendCommand | TruncateCommand | PurgeCommand | SaveCommittedCommand;

/** A log in memory, that objects to holes. */
export class EntryList {
  purged: LogId;
  readonly #entries: Entry[];

  constructor(purged: LogId = ZERO_LOG_ID, entries: readonly Entry[] = []) {
    this.purged = purged;
    this.#entries = [...entries];
  }

  get last(): LogId {
    return this.#entries.at(-1)?.logId ?? this.purged;
  }

  entries(): readonly Entry[] {
    return this.#entries;
  }

  get(index: number): Entry | undefined {
    return this.#entries[index - this.purged.index - 1];
  }

  /** The log id at `index`; undefined where there is none, or none any more. */
  idAt(index: number): LogId | undefined {
    return index === this.purged.index ? this.purged : this.get(index)?.logId;
  }

  has(logId: LogId): boolean {
    const found = this.idAt(logId.index);
    return found !== undefined && equalLogIds(found, logId);
  }

  slice(since: number, upto: number): Entry[] {
    const start = since - this.purged.index - 1;
    if (start < 0) throw new Error(`entry ${since} is purged`);
    return this.#entries.slice(start, upto - this.purged.index);
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.logId.index !== this.last.index + 1) {
        throw new Error(`a hole in the log: ${entry.logId.index} after ${this.last.index}`);
      }
      this.#entries.push(entry);
    }
  }

  truncate(since: number): void {
    this.#entries.length = Math.min(this.#entries.length, since - this.purged.index - 1);
  }

  purge(upto: LogId): void {
    this.#entries.splice(0, upto.index - this.purged.index);
    this.purged = upto;
  }

  clone(): EntryList {
    return new EntryList(this.purged, this.#entries);
  }
}

/** The state machine: what it has applied, as a running hash. */
export interface Machine {
  readonly applied: LogId;
  readonly hash: number;
  readonly membership: StoredMembership<unknown>;
}

export const EMPTY_MACHINE: Machine = {
  applied: ZERO_LOG_ID,
  hash: 0,
  membership: EMPTY_STORED_MEMBERSHIP,
};

/** What survives a crash of one node. */
export class Disk {
  vote: Vote = ZERO_VOTE;
  readonly log = new EntryList();
  committed: LogId = ZERO_LOG_ID;
  /** The state machine itself lives in memory only and starts again from here. */
  snapshot: Machine = EMPTY_MACHINE;

  /** Carries out one write, or, of an append that a crash cuts short, its first `entries`. */
  perform(write: Write, entries: number = Number.POSITIVE_INFINITY): void {
    switch (write.type) {
      case "saveVote":
        this.vote = write.vote;
        return;
      case "append":
        this.log.append(write.entries.slice(0, entries));
        return;
      case "truncate":
        this.log.truncate(write.since);
        return;
      case "purge":
        this.log.purge(write.upto);
        return;
      case "saveCommitted":
        this.committed = write.committed;
        return;
      default:
        write satisfies never;
    }
  }
}
