import type {
  BasicNode,
  BytesTypeConfig,
  Response,
  Snapshot,
  SnapshotData,
  SnapshotMeta,
} from "@seshat/common";
import type {
  AppliedState,
  ApplyResponse,
  MaybePromise,
  RaftSnapshotBuilder,
  RaftStateMachine,
  SnapshotSink,
} from "@seshat/storage";
import type { Disk } from "./disk.js";
import type { Life } from "./life.js";

type Entry = BytesTypeConfig["Entry"];
type AnySnapshot = Snapshot<SnapshotData, BasicNode>;

/** The other half of a disk as one life of a node uses it. */
export class LifeStateMachine implements RaftStateMachine<BytesTypeConfig> {
  readonly #disk: Disk;
  readonly #life: Life;

  constructor(disk: Disk, life: Life) {
    this.#disk = disk;
    this.#life = life;
  }

  readAppliedState(): AppliedState<BasicNode> {
    return this.#disk.machine.raft.readAppliedState();
  }

  apply(entries: readonly Entry[]): MaybePromise<readonly ApplyResponse<Response>[]> {
    if (this.#life.hangs) return this.#life.pause(0).then(() => this.apply(entries));
    this.#life.check();
    this.#disk.witness.appliesEntries(this.#disk.id, entries);
    return this.#disk.machine.raft.apply(entries);
  }

  snapshotBuilder(): RaftSnapshotBuilder<BytesTypeConfig> {
    this.#life.check();
    const disk = this.#disk;
    const builder = disk.machine.raft.snapshotBuilder();
    disk.building += 1;
    return {
      buildSnapshot: async (pause) => {
        await this.#life.pause(disk.delay(disk.habits.snapshotMs));
        const snapshot = await builder.buildSnapshot(pause);
        this.#life.check();
        disk.building -= 1;
        return snapshot;
      },
    };
  }

  readCurrentSnapshot(): AnySnapshot | null {
    return this.#disk.snapshot;
  }

  receiveSnapshot(meta: SnapshotMeta<BasicNode>, size: number): MaybePromise<SnapshotSink<SnapshotData>> {
    if (this.#life.hangs) return this.#life.pause(0).then(() => this.receiveSnapshot(meta, size));
    this.#life.check();
    const sink = this.#disk.machine.raft.receiveSnapshot(meta, size);
    const slow = async (): Promise<void> => this.#life.pause(this.#disk.delay(this.#disk.habits.writeMs));
    return {
      write: async (chunk) => {
        await slow();
        return sink.write(chunk);
      },
      finish: async () => {
        await slow();
        return sink.finish();
      },
      discard: () => sink.discard(),
    };
  }

  /** A crash before it is over finds the old state, or the new one. */
  async installSnapshot(snapshot: AnySnapshot, pause: () => Promise<void>): Promise<void> {
    const disk = this.#disk;
    const { habits } = disk;
    const restoring =
      disk.machine.raft.readAppliedState().lastAppliedLogId.index === 0 && disk.snapshot === snapshot;
    disk.installing = "before";
    await this.#life.pause(disk.delay(habits.snapshotMs));
    disk.installing = "during";
    await disk.machine.raft.installSnapshot(snapshot, pause);
    this.#life.check();
    disk.installing = "after";
    if (!restoring) disk.coverage.add("snapshot received");
    await this.#life.pause(disk.delay(habits.snapshotMs));
    disk.installing = "no";
  }
}
