import type {
  BytesTypeConfig,
  LogId,
  RaftTypeConfig,
  Snapshot,
  SnapshotData,
  StoredMembership,
  StoreIdentity,
  Vote,
} from "@seshat/common";
import { StorageError, ZERO_VOTE, formatVote, voteMayBecome } from "@seshat/common";
import type { StateMachine } from "../state-machine.js";
import type { RaftLogReader } from "../traits/raft-log-reader.js";
import type { IoCompletion, LogState, RaftStorage } from "../traits/raft-storage.js";
import type { MemLogView } from "./mem-log.js";
import { MemLog } from "./mem-log.js";
import { OpenRaftStateMachine } from "./open-raft-state-machine.js";

/** Entries that one read returns at most. */
const MAX_ENTRIES_PER_READ = 4096;

/**
 * The storage of one node, in memory only: it lives as long as the object does. A new node over the
 * same object goes on where the last one stopped.
 *
 * It is the log half itself (vote and log) and holds the other half as `stateMachine`. Every method
 * of the log half answers synchronously, and writes complete during the call. Breaking the contract of
 * {@link RaftStorage} throws `StorageError` and changes nothing.
 *
 * Entries whose commands are plain bytes (a `Uint8Array`, or a `Request`) of up to 4 KiB are packed, and made anew when they are read. All others
 * are kept as they are given, not copied: whoever appends one never changes it again.
 */
export class OpenRaftMemStorage<C extends RaftTypeConfig = BytesTypeConfig> implements RaftStorage<C> {
  /** The other half of storage: the application's state machine behind Raft, and its snapshots. */
  readonly stateMachine: OpenRaftStateMachine<C["D"], C["R"], C["Node"]>;
  readonly #log = new MemLog<C["Entry"]>();
  #identity: StoreIdentity | null = null;
  #vote: Vote | null = null;
  #committed: LogId | null = null;

  /** @param stateMachine the application's state machine, to which nothing has been applied yet. */
  constructor(stateMachine: StateMachine<C["D"], C["R"]>) {
    this.stateMachine = new OpenRaftStateMachine<C["D"], C["R"], C["Node"]>(stateMachine);
  }

  /** The last vote saved, or null. */
  get vote(): Vote | null {
    return this.#vote;
  }

  /** The log, to look at. */
  get log(): MemLogView<C["Entry"]> {
    return this.#log;
  }

  /** The current snapshot, or null. */
  get snapshot(): Snapshot<SnapshotData, C["Node"]> | null {
    return this.stateMachine.readCurrentSnapshot();
  }

  /** The last membership that was applied; a later one may stand in the log. */
  get membership(): StoredMembership<C["Node"]> {
    return this.stateMachine.readAppliedState().lastMembership;
  }

  /** Whose storage this is: it goes to the next node over the same object like the rest. */
  readIdentity(): StoreIdentity | null {
    return this.#identity;
  }

  /** @throws {StorageError} when the store has another identity already. */
  saveIdentity({ clusterId, nodeId, incarnation }: StoreIdentity): void {
    if (this.#identity !== null) throw new StorageError("save identity", "this store has one already");
    this.#identity = { clusterId, nodeId, incarnation };
  }

  readVote(): Vote | null {
    return this.#vote;
  }

  /** @throws {StorageError} when a node that promised the stored vote may not promise this one. */
  saveVote(vote: Vote): void {
    const stored = this.#vote ?? ZERO_VOTE;
    if (!voteMayBecome(stored, vote)) {
      throw new StorageError("save vote", `${formatVote(vote)} may not follow ${formatVote(stored)}`);
    }
    this.#vote = { term: vote.term, votedFor: vote.votedFor, committed: vote.committed };
  }

  readLogState(): LogState {
    return { lastPurgedLogId: this.#log.lastPurgedLogId, lastLogId: this.#log.lastLogId };
  }

  logReader(): RaftLogReader<C> {
    return this;
  }

  /** Returns at most 4096 entries, from `since` on. */
  readEntries(since: number, upto: number): readonly C["Entry"][] {
    return this.#log.read(since, upto, MAX_ENTRIES_PER_READ);
  }

  append(entries: readonly C["Entry"][], completion: IoCompletion): void {
    if (entries.length === 0) throw new StorageError("append", "there are no entries to append");
    this.#log.append(entries);
    completion(null);
  }

  /** @throws {StorageError} when `since` was purged. */
  truncate(since: number): void {
    this.#log.truncate(since);
  }

  /** @throws {StorageError} when the log holds a different entry at `upto.index`. */
  purge(upto: LogId): void {
    this.#log.purge(upto);
  }

  saveCommitted(committed: LogId): void {
    this.#committed = { term: committed.term, index: committed.index };
  }

  readCommitted(): LogId | null {
    return this.#committed;
  }
}
