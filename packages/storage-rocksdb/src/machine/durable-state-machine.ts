import type { RaftTypeConfig, Snapshot, SnapshotMeta } from "@seshat/common";
import type {
  AppliedState,
  ApplyResponse,
  RaftSnapshotBuilder,
  RaftStateMachine,
  SnapshotSink,
  StateMachine,
} from "@seshat/storage";
import { AppliedMachine } from "@seshat/storage/parts";
import type { FileSnapshot } from "../snapshots/snapshot-file.js";
import type { SnapshotStore } from "../snapshots/snapshot-store.js";
import type { WriteLane } from "../lane/write-lane.js";

type Pause = () => Promise<void>;

/**
 * An application's state machine in memory, behind a durable log: its snapshots are files. It starts from nothing; whoever runs it
 * installs the current snapshot first, and applies the log from there on.
 */
export class DurableStateMachine<C extends RaftTypeConfig> implements RaftStateMachine<C> {
  readonly #lane: WriteLane;
  readonly #snapshots: SnapshotStore<C>;
  readonly #machine: AppliedMachine<C["D"], C["R"], C["Node"]>;

  constructor(lane: WriteLane, snapshots: SnapshotStore<C>, inner: StateMachine<C["D"], C["R"]>) {
    this.#lane = lane;
    this.#snapshots = snapshots;
    this.#machine = new AppliedMachine<C["D"], C["R"], C["Node"]>(inner);
  }

  /** The application's state machine: to read from, not to apply to. */
  get inner(): StateMachine<C["D"], C["R"]> {
    return this.#machine.inner;
  }

  readAppliedState(): AppliedState<C["Node"]> {
    this.#lane.check("apply");
    return this.#machine.readAppliedState();
  }

  apply(entries: readonly C["Entry"][]): readonly ApplyResponse<C["R"]>[] {
    this.#lane.check("apply");
    return this.#machine.apply(entries);
  }

  /** Captures the state at once. It is written out in bounded memory, as fast as the disk takes it. */
  snapshotBuilder(): RaftSnapshotBuilder<C> {
    const verb = "build snapshot";
    this.#lane.check(verb);
    const captured = this.#machine.capture();
    const { meta } = captured;
    return {
      buildSnapshot: async (pause) => {
        const stored = await this.#snapshots.write(verb, meta, captured.chunks(), pause);
        await this.#snapshots.keep(verb, stored);
        return stored;
      },
    };
  }

  readCurrentSnapshot(): Snapshot<C["SnapshotData"], C["Node"]> | null {
    this.#lane.check("read snapshot");
    return this.#snapshots.current;
  }

  /** Takes the content in on disk. */
  receiveSnapshot(meta: SnapshotMeta<C["Node"]>, size: number): Promise<SnapshotSink<C["SnapshotData"]>> {
    return this.#snapshots.receive(meta, size);
  }

  /**
   * Restores the content, then makes it the current snapshot: the two go together, and the last applied entry, the membership and the
   * sessions with them, because a node starts again from the current snapshot.
   *
   * @throws {StorageError} when the snapshot is older than what is applied.
   * @throws {CodecError} when its content is damaged: the old state and snapshot stand.
   */
  async installSnapshot(snapshot: Snapshot<C["SnapshotData"], C["Node"]>, pause: Pause): Promise<void> {
    const verb = "install snapshot";
    this.#lane.check(verb);
    const { meta, data } = snapshot;
    if (this.#snapshots.isCurrent(data)) {
      await this.#machine.install(meta, async () => data, pause);
      return;
    }
    let stored: FileSnapshot<C> | null = null;
    const load = async (): Promise<FileSnapshot<C>["data"]> => {
      stored = await this.#snapshots.stored(snapshot, pause);
      return stored.data;
    };
    try {
      await this.#machine.install(meta, load, pause);
    } catch (thrown) {
      if (stored !== null) await this.#snapshots.abandon(stored);
      throw thrown;
    }
    await this.#snapshots.keep(verb, stored as unknown as FileSnapshot<C>);
  }
}
