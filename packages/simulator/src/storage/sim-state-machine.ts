import type { RaftTypeConfig, Snapshot, SnapshotData, SnapshotMeta, StorageVerb } from "@seshat/common";
import { CodecError, StorageError } from "@seshat/common";
import type {
  AppliedState,
  ApplyResponse,
  RaftSnapshotBuilder,
  RaftStateMachine,
  SnapshotSink,
  StateMachine,
} from "@seshat/storage";
import { OpenRaftStateMachine } from "@seshat/storage";
import { DiskSnapshotData } from "./disk-snapshot-data.js";
import type { DiskSnapshot, SnapshotStore } from "./snapshot-store.js";
import type { StoreDisk } from "./store-disk.js";

type Pause = () => Promise<void>;

/**
 * The state machine of one node: in memory, as `OpenRaftStateMachine` keeps it, with its snapshots on a {@link Disk}. It starts from
 * nothing: whoever runs it installs the current snapshot first and applies the log from there on.
 */
export class SimStateMachine<C extends RaftTypeConfig> implements RaftStateMachine<C> {
  readonly #store: StoreDisk;
  readonly #snapshots: SnapshotStore<C>;
  readonly #machine: OpenRaftStateMachine<C["D"], C["R"], C["Node"]>;
  /** The file of a snapshot that came from the leader, complete or not, and is not installed. */
  #received: string | null = null;

  constructor(store: StoreDisk, snapshots: SnapshotStore<C>, inner: StateMachine<C["D"], C["R"]>) {
    this.#store = store;
    this.#snapshots = snapshots;
    this.#machine = new OpenRaftStateMachine<C["D"], C["R"], C["Node"]>(inner);
  }

  /** The application's state machine: to read from, not to apply to. */
  get inner(): StateMachine<C["D"], C["R"]> {
    return this.#machine.inner;
  }

  readAppliedState(): AppliedState<C["Node"]> {
    this.#store.check("apply");
    return this.#machine.readAppliedState();
  }

  apply(entries: readonly C["Entry"][]): readonly ApplyResponse<C["R"]>[] {
    this.#store.check("apply");
    return this.#machine.apply(entries);
  }

  snapshotBuilder(): RaftSnapshotBuilder<C> {
    const verb = "build snapshot";
    this.#store.check(verb);
    const builder = this.#machine.snapshotBuilder();
    return {
      buildSnapshot: async (pause) => {
        const stored = await this.#write(verb, await builder.buildSnapshot(pause), pause);
        await this.#snapshots.keep(verb, stored);
        return stored;
      },
    };
  }

  readCurrentSnapshot(): Snapshot<C["SnapshotData"], C["Node"]> | null {
    this.#store.check("read snapshot");
    return this.#snapshots.current;
  }

  /** Takes the content in on disk. What was received before and not installed is dropped. */
  async receiveSnapshot(
    meta: SnapshotMeta<C["Node"]>,
    size: number,
  ): Promise<SnapshotSink<C["SnapshotData"]>> {
    const verb = "receive snapshot";
    await this.#dropReceived(this.#received);
    const writer = await this.#snapshots.begin(verb, meta);
    this.#received = writer.file;
    return {
      write: (chunk) => {
        if (writer.size + chunk.length > size) {
          throw new StorageError(verb, `${writer.size + chunk.length} bytes came of ${size}`);
        }
        return writer.write(chunk);
      },
      finish: (): Promise<C["SnapshotData"]> => {
        if (writer.size !== size) throw new StorageError(verb, `only ${writer.size} bytes came of ${size}`);
        return writer.finish();
      },
      discard: () => this.#dropReceived(writer.file),
    };
  }

  /**
   * Restores the content, then makes it the current snapshot: the two go together, and the last applied entry, the membership
   * and the sessions with them, because a node starts again from the current snapshot.
   *
   * @throws {StorageError} when the snapshot is older than what is applied.
   * @throws {CodecError} when its content is damaged: the old state and snapshot stand.
   */
  async installSnapshot(snapshot: Snapshot<C["SnapshotData"], C["Node"]>, pause: Pause): Promise<void> {
    const verb = "install snapshot";
    this.#store.check(verb);
    if (snapshot.data === this.#snapshots.current?.data)
      return this.#machine.installSnapshot(snapshot, pause);
    const stored = this.#takeReceived(snapshot) ?? (await this.#write(verb, snapshot, pause));
    try {
      await this.#machine.installSnapshot(stored, pause);
    } catch (thrown) {
      await this.#abandon(verb, stored.data.file);
      throw thrown;
    }
    await this.#snapshots.keep(verb, stored);
  }

  /** The snapshot, if it is the one that was received: then it is on the disk already. */
  #takeReceived({ meta, data }: Snapshot<SnapshotData, C["Node"]>): DiskSnapshot<C> | null {
    if (!(data instanceof DiskSnapshotData) || data.file !== this.#received) return null;
    if (!this.#snapshots.isOf(data, meta)) return null;
    this.#received = null;
    return { meta, data };
  }

  async #write(
    verb: "build snapshot" | "install snapshot",
    { meta, data }: Snapshot<SnapshotData, C["Node"]>,
    pause: Pause,
  ): Promise<DiskSnapshot<C>> {
    const writer = await this.#snapshots.begin(verb, meta);
    try {
      for await (const chunk of data.read(0)) {
        await writer.write(chunk);
        if (writer.size > data.size) break;
        await pause();
      }
      if (writer.size !== data.size) {
        const found = writer.size > data.size ? "more" : `only ${writer.size}`;
        const at = Math.min(writer.size, data.size);
        throw new CodecError("snapshot", at, `${data.size} bytes expected, ${found} found`);
      }
    } catch (thrown) {
      await this.#abandon(verb, writer.file);
      throw thrown;
    }
    return { meta, data: await writer.finish() };
  }

  /** Removes what will not be a snapshot. What is in the way of that shows with the next call; the reason to give up matters more. */
  async #abandon(verb: StorageVerb, file: string): Promise<void> {
    await this.#snapshots.discard(verb, file).catch(() => {});
  }

  async #dropReceived(file: string | null): Promise<void> {
    if (file === null || file !== this.#received) return;
    this.#received = null;
    await this.#snapshots.discard("receive snapshot", file);
  }
}
