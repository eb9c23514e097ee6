import type {
  BasicNode,
  BytesTypeConfig,
  LogEntry,
  Request,
  Response,
  Snapshot,
  SnapshotData,
  SnapshotMeta,
} from "@seshat/common";
import { SeshatError, StorageError, formatLogId } from "@seshat/common";
import type {
  AppliedState,
  ApplyResponse,
  RaftSnapshotBuilder,
  RaftStateMachine,
  SnapshotSink,
} from "@seshat/storage";
import {
  RESPONSE_CODEC,
  SessionTable,
  applyOperation,
  asStorageError,
  checkConsecutive,
  checkNotOlder,
  streamSnapshot,
  takeSection,
  toByteString,
  viewOperation,
  withPauses,
  withSection,
} from "@seshat/storage/parts";
import type { Section } from "@seshat/storage/parts";
import { messageOf } from "../errors.js";
import { APPLIED_KEY, SESSIONS_END, SESSIONS_START, generationKey, sessionKey } from "../keys.js";
import type { StateRecords } from "../records/state-records.js";
import type { RocksDatabase, RocksView } from "../native/rocksdb.js";
import type { FileSnapshot } from "../snapshots/snapshot-file.js";
import type { SnapshotStore } from "../snapshots/snapshot-store.js";
import type { Fill } from "../journal/operations.js";
import type { WriteLane } from "../lane/write-lane.js";
import { dropGeneration, dropOtherGenerations, writeGeneration } from "./generations.js";
import { DataChanges, countData, deletedKeys, dataKey, existingKeys, readData } from "./key-value-data.js";
import type { StoredState } from "./stored-state.js";
import { encodeStored, readStored } from "./stored-state.js";

type Pause = () => Promise<void>;
type Entry = LogEntry<Request>;

/**
 * The key-value state machine with its data on disk: the same commands, answers, sessions and snapshots as `KeyValueStateMachine`
 * has behind Raft, so that both can stand in one cluster. Memory holds the sessions and nothing else.
 *
 * What is applied goes into the database in one batch with the last applied entry, the membership and the sessions, and is not
 * synced: a restart applies again what was lost.
 */
export class RocksdbKeyValueStateMachine implements RaftStateMachine<BytesTypeConfig> {
  readonly #database: RocksDatabase;
  readonly #lane: WriteLane;
  readonly #records: StateRecords<BytesTypeConfig>;
  readonly #snapshots: SnapshotStore<BytesTypeConfig>;
  #applied: AppliedState<BasicNode>;
  #generation: number;
  #sessions: SessionTable<Response>;
  #captures = 0;
  #installing = false;

  private constructor(
    database: RocksDatabase,
    lane: WriteLane,
    records: StateRecords<BytesTypeConfig>,
    snapshots: SnapshotStore<BytesTypeConfig>,
    stored: StoredState,
  ) {
    this.#database = database;
    this.#lane = lane;
    this.#records = records;
    this.#snapshots = snapshots;
    this.#applied = stored.applied;
    this.#generation = stored.generation;
    this.#sessions = stored.sessions;
    // From here on the table keeps track of what changes.
    this.#sessions.takeChanges();
  }

  static async open(
    database: RocksDatabase,
    lane: WriteLane,
    records: StateRecords<BytesTypeConfig>,
    snapshots: SnapshotStore<BytesTypeConfig>,
  ): Promise<RocksdbKeyValueStateMachine> {
    const stored = await readStored(database, records);
    await dropOtherGenerations(lane, stored.generation);
    return new RocksdbKeyValueStateMachine(database, lane, records, snapshots, stored);
  }

  /** The value at `key`, or null. */
  async get(key: Uint8Array): Promise<Uint8Array | null> {
    this.#lane.check("apply");
    const value = await this.#database.get(dataKey(this.#generation, toByteString(key)));
    return value === null ? null : new Uint8Array(value);
  }

  readAppliedState(): AppliedState<BasicNode> {
    this.#lane.check("apply");
    return this.#applied;
  }

  /** @throws {StorageError} when an entry is missing before these or between them, or a term falls, or the database fails. */
  async apply(entries: readonly Entry[]): Promise<readonly ApplyResponse<Response>[]> {
    this.#checkNotInstalling("apply");
    checkConsecutive(entries, this.#applied.lastAppliedLogId);
    const { index } = this.#applied.lastAppliedLogId;
    const isNew = ({ logId }: Entry): boolean => logId.index > index;
    const deleted = deletedKeys(entries.filter(isNew));
    const changes = new DataChanges(
      await this.#attempt(() => existingKeys(this.#database, this.#generation, deleted)),
    );
    let applied = this.#applied;
    const responses = entries.map((entry) => {
      if (!isNew(entry)) return undefined;
      const response = this.#applyOne(changes, entry);
      const { logId, payload } = entry;
      applied = {
        lastAppliedLogId: logId,
        lastMembership:
          payload.type === "membership" ? { logId, membership: payload.membership } : applied.lastMembership,
      };
      return response;
    });
    if (applied === this.#applied) return responses;
    await this.#save(applied, changes);
    this.#applied = applied;
    return responses;
  }

  /** Captures the state at once, as a snapshot of RocksDB. Applies go on while it is written out. */
  snapshotBuilder(): RaftSnapshotBuilder<BytesTypeConfig> {
    const verb = "build snapshot";
    this.#checkNotInstalling(verb);
    const { lastAppliedLogId, lastMembership } = this.#applied;
    const { term, index } = lastAppliedLogId;
    this.#captures += 1;
    const snapshotId = `${term}-${index}-${this.#captures}`;
    const meta = { lastLogId: lastAppliedLogId, lastMembership, snapshotId };
    const sessions = this.#sessions.capture(index);
    const generation = this.#generation;
    const view = this.#database.snapshot();
    return {
      buildSnapshot: async (pause) => {
        try {
          const chunks = contentOf(view, generation, sessions);
          const stored = await this.#snapshots.write(verb, meta, chunks, pause);
          await this.#snapshots.keep(verb, stored);
          return stored;
        } finally {
          await view.close();
        }
      },
    };
  }

  readCurrentSnapshot(): Snapshot<SnapshotData, BasicNode> | null {
    this.#lane.check("read snapshot");
    return this.#snapshots.current;
  }

  /** Takes the content in on disk. */
  receiveSnapshot(meta: SnapshotMeta, size: number): Promise<SnapshotSink<SnapshotData>> {
    return this.#snapshots.receive(meta, size);
  }

  /**
   * Writes the content beside the data, makes it the current snapshot, and then the data, in one batch with everything that goes with
   * them. A crash between the two leaves a state that is behind the snapshot, which is installed again.
   *
   * @throws {StorageError} when the snapshot is older than what is applied.
   * @throws {CodecError} when its content is damaged: the old state and snapshot stand.
   */
  async installSnapshot(snapshot: Snapshot<SnapshotData, BasicNode>, pause: Pause): Promise<void> {
    const verb = "install snapshot";
    this.#checkNotInstalling(verb);
    const { meta, data } = snapshot;
    checkNotOlder(meta.lastLogId, this.#applied.lastAppliedLogId);
    this.#installing = true;
    let stored: FileSnapshot<BytesTypeConfig> | null = null;
    const generation = this.#generation + 1;
    try {
      if (!this.#snapshots.isCurrent(data)) stored = await this.#snapshots.stored(snapshot, pause);
      const source = stored?.data ?? data;
      const { section, content } = await takeSection(withPauses(source.read(0), pause), source.size);
      const sessions = SessionTable.decode(RESPONSE_CODEC, meta.lastLogId.index, section);
      await writeGeneration(this.#lane, generation, content);
      if (stored !== null) await this.#snapshots.keep(verb, stored);
      await this.#lane.flush(verb);
      const applied = { lastAppliedLogId: meta.lastLogId, lastMembership: meta.lastMembership };
      await this.#switchTo(generation, applied, sessions);
    } catch (thrown) {
      if (stored !== null && !this.#snapshots.isCurrent(stored.data)) await this.#snapshots.abandon(stored);
      await dropGeneration(this.#lane, generation);
      throw asStorageError(verb, thrown);
    } finally {
      this.#installing = false;
    }
  }

  #applyOne(changes: DataChanges, { logId, payload }: Entry): ApplyResponse<Response> {
    switch (payload.type) {
      case "blank":
      case "membership":
        return undefined;
      case "openSession":
        return this.#sessions.open(logId.index, payload.expiresAfter);
      case "normal": {
        const { data, session } = payload;
        try {
          if (session === undefined) return applyOperation(changes, data, viewOperation);
          return this.#sessions.carryOut(logId.index, session, () =>
            applyOperation(changes, data, viewOperation),
          );
        } catch (cause) {
          throw new StorageError("apply", `entry ${formatLogId(logId)}: ${messageOf(cause)}`, { cause });
        }
      }
      default:
        return payload satisfies never;
    }
  }

  async #save(applied: AppliedState<BasicNode>, changes: DataChanges): Promise<void> {
    const { saved, removed } = this.#sessions.takeChanges();
    const value = encodeStored(this.#records, applied, this.#generation);
    const sessionBytes = saved.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    await this.#lane.written("apply", value.length + sessionBytes + changes.bytes, (batch) => {
      changes.fill(batch, this.#generation);
      for (const [id, bytes] of saved) batch.tryPut(sessionKey(id), bytes);
      for (const id of removed) batch.tryDelete(sessionKey(id));
      batch.tryPut(APPLIED_KEY, value);
    });
  }

  /** Makes a generation the one that counts: one batch. */
  async #switchTo(
    generation: number,
    applied: AppliedState<BasicNode>,
    sessions: SessionTable<Response>,
  ): Promise<void> {
    const before = this.#generation;
    const { saved } = sessions.takeChanges();
    const value = encodeStored(this.#records, applied, generation);
    const fill: Fill = (batch) => {
      batch.tryDeleteRange(generationKey(before), generationKey(before + 1));
      batch.tryDeleteRange(SESSIONS_START, SESSIONS_END);
      for (const [id, bytes] of saved) batch.tryPut(sessionKey(id), bytes);
      batch.tryPut(APPLIED_KEY, value);
    };
    await this.#lane.durableAndWritten("install snapshot", value.length, fill);
    this.#generation = generation;
    this.#applied = applied;
    this.#sessions = sessions;
  }

  async #attempt<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      if (cause instanceof SeshatError) throw cause;
      throw new StorageError("apply", messageOf(cause), { cause });
    }
  }

  #checkNotInstalling(verb: "apply" | "build snapshot" | "install snapshot"): void {
    this.#lane.check(verb);
    if (this.#installing) throw new StorageError(verb, "a snapshot is being installed");
  }
}

async function* contentOf(
  view: RocksView,
  generation: number,
  sessions: Section,
): AsyncGenerator<Uint8Array> {
  const count = await countData(view, generation);
  yield* withSection(sessions, streamSnapshot(count, readData(view, generation)));
}
