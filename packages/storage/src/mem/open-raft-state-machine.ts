import type { BasicNode, LogEntry, Snapshot, SnapshotData, SnapshotMeta, TypeConfig } from "@seshat/common";
import type { StateMachine } from "../state-machine.js";
import type { RaftSnapshotBuilder } from "../traits/raft-snapshot-builder.js";
import type {
  AppliedState,
  ApplyResponse,
  RaftStateMachine,
  SnapshotSink,
} from "../traits/raft-state-machine.js";
import type { CapturedState } from "./applied-machine.js";
import { AppliedMachine, asStorageError } from "./applied-machine.js";
import { MemSnapshotData } from "./mem-snapshot-data.js";
import { MemSnapshotSink } from "./mem-snapshot-sink.js";

/**
 * Puts an application's state machine behind Raft, in memory: it applies each entry once however often it
 * is replayed, keeps track of the last applied entry and membership and of the clients' sessions, and keeps the
 * newest snapshot.
 *
 * `D` is the application's command, `R` its response, `N` the description of a node.
 */
export class OpenRaftStateMachine<D, R, N = BasicNode> implements RaftStateMachine<TypeConfig<D, R, N>> {
  readonly #machine: AppliedMachine<D, R, N>;
  #snapshot: Snapshot<SnapshotData, N> | null = null;

  /** @param inner the application's state machine, to which nothing has been applied yet. */
  constructor(inner: StateMachine<D, R>) {
    this.#machine = new AppliedMachine<D, R, N>(inner);
  }

  /** The application's state machine: to read from, not to apply to. */
  get inner(): StateMachine<D, R> {
    return this.#machine.inner;
  }

  readAppliedState(): AppliedState<N> {
    return this.#machine.readAppliedState();
  }

  /**
   * @returns a response to each of the first entries: to all of them, unless by what the application's state machine says of its work they take long.
   * @throws {StorageError} when an entry is missing before these or between them, or a term falls: then
   *   none of them was applied; or when the application's state machine or its codec throws: then those before it were.
   */
  apply(entries: readonly LogEntry<D, N>[]): ApplyResponse<R>[] {
    return this.#machine.apply(entries);
  }

  /** Captures the state at once. Several builders may be at work, beside applies and an installation. */
  snapshotBuilder(): RaftSnapshotBuilder<TypeConfig<D, R, N>> {
    const captured = this.#machine.capture();
    return { buildSnapshot: (pause) => this.#build(captured, pause) };
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
    { meta, data }: Snapshot<SnapshotData, N>,
    pause: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const kept = await this.#machine.install(meta, () => MemSnapshotData.copyOf(data, pause), pause);
    this.#snapshot = { meta, data: kept };
  }

  async #build(captured: CapturedState<N>, pause: () => Promise<void>): Promise<Snapshot<SnapshotData, N>> {
    const { meta } = captured;
    let data: MemSnapshotData;
    try {
      data = await MemSnapshotData.collect(captured.chunks(), pause);
    } catch (cause) {
      throw asStorageError("build snapshot", cause);
    }
    const snapshot = { meta, data };
    // Building takes time: a newer snapshot may have been built or installed since the capture.
    const current = this.#snapshot;
    if (current === null || current.meta.lastLogId.index <= meta.lastLogId.index) this.#snapshot = snapshot;
    return snapshot;
  }
}
