import type { LogEntry, LogId, SnapshotMeta, StoredMembership, Vote } from "@seshat/common";
import { EMPTY_STORED_MEMBERSHIP, ZERO_LOG_ID, ZERO_VOTE, equalLogIds, formatLogId } from "@seshat/common";
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
  /** Where memberships stand in it. */
  readonly #memberships: StoredMembership<unknown>[];

  constructor(purged: LogId = ZERO_LOG_ID, entries: readonly Entry[] = []) {
    this.purged = purged;
    this.#entries = [...entries];
    this.#memberships = membershipsAmong(entries);
  }

  /** The last membership in the log, if there is one. */
  get membership(): StoredMembership<unknown> | undefined {
    return this.#memberships.at(-1);
  }

  get last(): LogId {
    return this.#entries.at(-1)?.logId ?? this.purged;
  }

  memberships(): readonly StoredMembership<unknown>[] {
    return this.#memberships;
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
    this.#memberships.push(...membershipsAmong(entries));
  }

  truncate(since: number): void {
    if (since <= this.purged.index) throw new Error(`entry ${since} is truncated, and purged before`);
    this.#entries.length = Math.min(this.#entries.length, since - this.purged.index - 1);
    while ((this.membership?.logId.index ?? 0) >= since) this.#memberships.pop();
  }

  /** Past the end the log becomes empty, and goes on after `upto`. */
  purge(upto: LogId): void {
    const found = this.idAt(upto.index);
    if (found !== undefined && !equalLogIds(found, upto)) {
      throw new Error(`the log is purged up to ${formatLogId(upto)}, and has ${formatLogId(found)} there`);
    }
    this.#entries.splice(0, upto.index - this.purged.index);
    while ((this.#memberships[0]?.logId.index ?? upto.index + 1) <= upto.index) this.#memberships.shift();
    this.purged = upto;
  }

  clone(): EntryList {
    return new EntryList(this.purged, this.#entries);
  }
}

function membershipsAmong(entries: readonly Entry[]): StoredMembership<unknown>[] {
  return entries.flatMap(({ logId, payload }) =>
    payload.type === "membership" ? [{ logId, membership: payload.membership }] : [],
  );
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

/** A snapshot as it travels: the meta data that the engines see, and the content, which is the whole state. */
export interface Copy {
  readonly meta: SnapshotMeta<unknown>;
  readonly machine: Machine;
}

export function copyOf(machine: Machine): Copy {
  const { applied, membership } = machine;
  return {
    meta: { lastLogId: applied, lastMembership: membership, snapshotId: formatLogId(applied) },
    machine,
  };
}

/** What survives a crash of one node. */
export class Disk {
  /** Tells this store from those that the node had before; 0 where stores are not told apart. */
  readonly incarnation: number;
  vote: Vote = ZERO_VOTE;
  readonly log = new EntryList();
  committed: LogId = ZERO_LOG_ID;
  /** The state machine starts again from here, unless it is kept itself. */
  snapshot: Machine = EMPTY_MACHINE;
  /** The state machine, where it is kept at every apply; null where it lives in memory only. */
  kept: Machine | null = null;

  constructor(incarnation: number) {
    this.incarnation = incarnation;
  }

  /** What a restart finds the state machine at. */
  get machine(): Machine {
    const { kept, snapshot } = this;
    return kept !== null && kept.applied.index > snapshot.applied.index ? kept : snapshot;
  }

  /** True when everything up to `logId` is safe here, in the log or in a snapshot. */
  holds(logId: LogId): boolean {
    const { log, snapshot } = this;
    return Math.max(log.purged.index, snapshot.applied.index) >= logId.index || log.has(logId);
  }

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

  /**
   * What every start does first: where a crash came between the state machine, which took a snapshot over, and the log, the
   * snapshot has the log's place.
   */
  finishInstall(): void {
    const { applied } = this.snapshot;
    const isInstalled = equalLogIds(this.machine.applied, applied);
    if (!isInstalled || applied.index <= this.log.purged.index || this.log.has(applied)) return;
    if (this.log.last.index >= applied.index) this.log.truncate(applied.index);
    this.log.purge(applied);
  }
}
