import type { RaftTypeConfig } from "@seshat/common";
import { checkInteger } from "@seshat/common";
import type { StateMachine } from "@seshat/storage";
import type { Disk } from "../disk/disk.js";
import type { StoreCodec } from "./codec.js";
import { EntryCodec } from "@seshat/common/codec";
import { SimLogStorage } from "./sim-log-storage.js";
import { SimStateMachine } from "./sim-state-machine.js";
import { SnapshotStore } from "./snapshot-store.js";
import { StoreDisk, TEMPORARY_SUFFIX, asStorageError } from "./store-disk.js";

/** How to open a storage on a disk. */
export interface SimStorageOptions<C extends RaftTypeConfig> {
  readonly codec: StoreCodec<C>;
  /** The application's state machine, to which nothing has been applied yet. */
  readonly stateMachine: StateMachine<C["D"], C["R"]>;
  /** A segment of the log that has become this long is followed by another one. Default 64 KiB. */
  readonly segmentBytes?: number;
}

/** Both halves of the storage of one node. */
export interface SimStorage<C extends RaftTypeConfig> {
  readonly storage: SimLogStorage<C>;
  readonly stateMachine: SimStateMachine<C>;
}

/**
 * Opens what is on a disk, or begins it. A disk belongs to one open storage at a time.
 *
 * What is read is what was acknowledged, or more: a beginning of what was written after that, in the order in which it was written.
 *
 * @throws {DamagedFileError} when something is missing or damaged that was acknowledged, or may have been; it names the file and the byte.
 * @throws {StorageError} when the disk fails.
 */
export async function openSimStorage<C extends RaftTypeConfig>(
  disk: Disk,
  { codec, stateMachine, segmentBytes = 64 * 1024 }: SimStorageOptions<C>,
): Promise<SimStorage<C>> {
  checkInteger("segmentBytes", segmentBytes, 1);
  const entryCodec = new EntryCodec<C>(codec);
  const store = new StoreDisk(disk);
  try {
    // Names first: what they say may be on its way to the disk still, and files are removed on the strength of it.
    await disk.syncDirectory();
    for (const file of await disk.list()) if (file.endsWith(TEMPORARY_SUFFIX)) await disk.remove(file);
    const storage = await SimLogStorage.open<C>({ store, codec: entryCodec, segmentBytes });
    const snapshots = await SnapshotStore.open<C>(store, entryCodec);
    return { storage, stateMachine: new SimStateMachine<C>(store, snapshots, stateMachine) };
  } catch (thrown) {
    throw asStorageError("read log", thrown);
  }
}
