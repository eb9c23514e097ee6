import type {
  BasicNode,
  LogEntry,
  LogId,
  NormalPayload,
  Snapshot,
  SnapshotData,
  SnapshotMeta,
  StoredMembership,
  TypeConfig,
} from "@seshat/common";
import {
  CodecError,
  EMPTY_STORED_MEMBERSHIP,
  SeshatError,
  StorageError,
  ZERO_LOG_ID,
  compareLogIds,
  formatLogId,
} from "@seshat/common";
import type { Section } from "../sessions/framed-content.js";
import { takeSection, withSection } from "../sessions/framed-content.js";
import type { ResponseCodec } from "../sessions/response-codec.js";
import { SessionRefusal } from "../sessions/session-refusal.js";
import { SessionTable } from "../sessions/session-table.js";
import type { StateCapture, StateMachine } from "../state-machine.js";
import type { RaftSnapshotBuilder } from "../traits/raft-snapshot-builder.js";
import type {
  AppliedState,
  ApplyResponse,
  RaftStateMachine,
  SnapshotSink,
} from "../traits/raft-state-machine.js";
import { MemSnapshotData } from "./mem-snapshot-data.js";
import { MemSnapshotSink } from "./mem-snapshot-sink.js";

/** What stands in a snapshot in place of sessions where there can be none. */
const NO_SESSIONS: Section = { size: 0, chunks: () => [] };

/**
 * Puts an application's state machine behind Raft, in memory: it applies each entry once however often it
 * is replayed, keeps track of the last applied entry and membership and of the clients' sessions, and keeps the
 * newest snapshot.
 *
 * `D` is the application's command, `R` its response, `N` the description of a node.
 */
export class OpenRaftStateMachine<D, R, N = BasicNode> implements RaftStateMachine<TypeConfig<D, R, N>> {
  readonly #inner: StateMachine<D, R>;
  readonly #responseCodec: ResponseCodec<R> | undefined;
  #lastAppliedLogId: LogId = ZERO_LOG_ID;
  #lastMembership: StoredMembership<N> = EMPTY_STORED_MEMBERSHIP;
  /** Null when there can be none, for want of a codec. */
  #sessions: SessionTable<R> | null;
  #snapshot: Snapshot<SnapshotData, N> | null = null;
  #captures = 0;
  #installing = false;

  /** @param inner the application's state machine, to which nothing has been applied yet. */
  constructor(inner: StateMachine<D, R>) {
    this.#inner = inner;
    this.#responseCodec = inner.responseCodec;
    this.#sessions = this.#responseCodec === undefined ? null : SessionTable.empty(this.#responseCodec);
  }

  /** The application's state machine: to read from, not to apply to. */
  get inner(): StateMachine<D, R> {
    return this.#inner;
  }

  readAppliedState(): AppliedState<N> {
    return { lastAppliedLogId: this.#lastAppliedLogId, lastMembership: this.#lastMembership };
  }

  /**
   * @throws {StorageError} when an entry is missing before these or between them, or a term falls: then
   *   none of them was applied; or when the application's state machine or its codec throws: then those before it were.
   */
  apply(entries: readonly LogEntry<D, N>[]): ApplyResponse<R>[] {
    this.#checkNotInstalling("apply");
    this.#checkConsecutive(entries);
    return entries.map((entry) => {
      if (entry.logId.index <= this.#lastAppliedLogId.index) return undefined;
      const response = this.#applyOne(entry);
      this.#lastAppliedLogId = entry.logId;
      return response;
    });
  }

  /** Captures the state at once. Several builders may be at work, beside applies and an installation. */
  snapshotBuilder(): RaftSnapshotBuilder<TypeConfig<D, R, N>> {
    // While a snapshot is installed the content may already be the new one and the log id still the old.
    this.#checkNotInstalling("build snapshot");
    const { term, index } = this.#lastAppliedLogId;
    const capture = this.#inner.capture();
    const sessions = this.#sessions?.capture(index) ?? NO_SESSIONS;
    this.#captures += 1;
    const meta: SnapshotMeta<N> = {
      lastLogId: this.#lastAppliedLogId,
      lastMembership: this.#lastMembership,
      // A counter and nothing random: the same run always gives the same ids.
      snapshotId: `${term}-${index}-${this.#captures}`,
    };
    return { buildSnapshot: (pause) => this.#build(meta, sessions, capture, pause) };
  }

  readCurrentSnapshot(): Snapshot<SnapshotData, N> | null {
    return this.#snapshot;
  }

  /**
   * Keeps what comes in memory, up to `size` bytes.
   *
   * @throws {InvalidValueError} when no content can be of that size.
   */
  receiveSnapshot(_meta: SnapshotMeta<N>, size: number): SnapshotSink<SnapshotData> {
    return new MemSnapshotSink(size);
  }

  /**
   * Copies the content, restores it and keeps it as the current snapshot. Content that is in memory already is shared instead. Until
   * everything has been decoded the old state stands.
   *
   * @param pause awaited after each chunk that is copied, and after each that is restored. Default: none.
   * @throws {StorageError} when the snapshot is older than what is applied, or cannot be read.
   * @throws {CodecError} when its content is damaged.
   */
  async installSnapshot(
    snapshot: Snapshot<SnapshotData, N>,
    pause: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    this.#checkNotInstalling("install snapshot");
    const { meta } = snapshot;
    const applied = this.#lastAppliedLogId;
    if (meta.lastLogId.index < applied.index || compareLogIds(meta.lastLogId, applied) < 0) {
      const problem = `it ends at ${formatLogId(meta.lastLogId)}, but ${formatLogId(applied)} is applied already`;
      throw new StorageError("install snapshot", problem);
    }
    this.#installing = true;
    try {
      const data = await MemSnapshotData.copyOf(snapshot.data, pause);
      const { section, content } = await takeSection(withPauses(data.read(0), pause), data.size);
      const sessions = this.#decodeSessions(meta.lastLogId.index, section);
      await this.#inner.restore(content);
      this.#sessions = sessions;
      this.#lastAppliedLogId = meta.lastLogId;
      this.#lastMembership = meta.lastMembership;
      this.#snapshot = { meta, data };
    } catch (cause) {
      throw asStorageError("install snapshot", cause);
    } finally {
      this.#installing = false;
    }
  }

  async #build(
    meta: SnapshotMeta<N>,
    sessions: Section,
    capture: StateCapture,
    pause: () => Promise<void>,
  ): Promise<Snapshot<SnapshotData, N>> {
    let data: MemSnapshotData;
    try {
      data = await MemSnapshotData.collect(withSection(sessions, capture.chunks()), pause);
    } catch (cause) {
      throw asStorageError("build snapshot", cause);
    }
    const snapshot = { meta, data };
    // Building takes time: a newer snapshot may have been built or installed since the capture.
    const current = this.#snapshot;
    if (current === null || current.meta.lastLogId.index <= meta.lastLogId.index) this.#snapshot = snapshot;
    return snapshot;
  }

  #applyOne({ logId, payload }: LogEntry<D, N>): ApplyResponse<R> {
    switch (payload.type) {
      case "blank":
        return undefined;
      case "membership":
        this.#lastMembership = { logId, membership: payload.membership };
        return undefined;
      case "openSession":
        if (this.#sessions === null) return new SessionRefusal("unsupported");
        return this.#sessions.open(logId.index, payload.expiresAfter);
      case "normal":
        try {
          return this.#applyCommand(logId.index, payload);
        } catch (cause) {
          throw new StorageError("apply", `entry ${formatLogId(logId)}: ${messageOf(cause)}`, { cause });
        }
      default:
        return payload satisfies never;
    }
  }

  #applyCommand(index: number, { data, session }: NormalPayload<D>): ApplyResponse<R> {
    if (session === undefined) return this.#inner.apply(index, data);
    if (this.#sessions === null) return new SessionRefusal("unsupported");
    return this.#sessions.carryOut(index, session, () => this.#inner.apply(index, data));
  }

  #decodeSessions(index: number, section: Uint8Array): SessionTable<R> | null {
    if (this.#responseCodec !== undefined) return SessionTable.decode(this.#responseCodec, index, section);
    if (section.length === 0) return null;
    throw new CodecError("sessions", 0, "this state machine has no codec for responses, and so no sessions");
  }

  #checkConsecutive(entries: readonly LogEntry<D, N>[]): void {
    let last = this.#lastAppliedLogId;
    for (const { logId } of entries) {
      if (logId.index <= last.index) continue;
      if (logId.index !== last.index + 1 || !(logId.term >= last.term)) {
        throw new StorageError(
          "apply",
          `entry ${formatLogId(logId)} does not follow on ${formatLogId(last)}`,
        );
      }
      last = logId;
    }
  }

  #checkNotInstalling(verb: "apply" | "build snapshot" | "install snapshot"): void {
    if (this.#installing) throw new StorageError(verb, "a snapshot is being installed");
  }
}

/** The same chunks, with a pause after each. */
async function* withPauses(
  chunks: AsyncIterable<Uint8Array>,
  pause: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    await pause();
  }
}

function asStorageError(verb: "build snapshot" | "install snapshot", cause: unknown): SeshatError {
  if (cause instanceof SeshatError) return cause;
  return new StorageError(verb, messageOf(cause), { cause });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
