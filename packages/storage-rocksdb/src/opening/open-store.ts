import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RaftTypeConfig } from "@seshat/common";
import { SeshatError } from "@seshat/common";
import type { RaftStateMachine, RaftStorage } from "@seshat/storage";
import type { StoreCodec } from "../codec.js";
import { UnusableStoreError, messageOf } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";
import type { LaneMetrics } from "../lane/lane-metrics.js";
import { WriteLane } from "../lane/write-lane.js";
import { RocksdbLogStorage } from "../log/log-storage.js";
import type { DurableStateMachine } from "../machine/durable-state-machine.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import { StateRecords } from "../records/state-records.js";
import { SnapshotStore } from "../snapshots/snapshot-store.js";
import { NO_EXTENT } from "../wal/extent.js";
import { inspectWals } from "../wal/inspect-wals.js";
import type { StoreKind } from "../wal/marker-file.js";
import { MarkerFile, readMarker } from "../wal/marker-file.js";
import { WalFiles } from "../wal/wal-files.js";
import { closeData, openData, storedBatches, takeLock } from "./database.js";
import { beginStore, makeDirectory, pathsOf, removeInfoLogs } from "./directory.js";
import type { StoreOptions } from "./options.js";
import { checkIdentity, checkOptions } from "./options.js";

/** What a store has done since it was opened. */
export interface StoreMetrics extends LaneMetrics {
  /** Bytes that a power failure left unfinished and that were cut off when the store was opened. */
  readonly cutBytes: number;
  /** True while RocksDB lets no write through, because it cannot keep up with merging its tables. */
  readonly writesStopped: boolean;
}

/** An open store: both halves of a node's storage. */
export interface RocksdbStorage<
  C extends RaftTypeConfig,
  M extends RaftStateMachine<C> = DurableStateMachine<C>,
> {
  readonly storage: RaftStorage<C>;
  readonly stateMachine: M;
  metrics(): Promise<StoreMetrics>;
  /** To be called once the node is shut down. Everything is durable when it ends, and another process may open the store. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a state machine is made from. */
export interface StoreParts<C extends RaftTypeConfig> {
  readonly database: RocksDatabase;
  readonly lane: WriteLane;
  readonly records: StateRecords<C>;
  readonly snapshots: SnapshotStore<C>;
}

/**
 * Opens a store, or begins it. The order is what keeps it safe: the lock before any file is looked at, the files before RocksDB changes
 * any, and nothing is written before all of that was found to be whole.
 */
export async function openStore<C extends RaftTypeConfig, M extends RaftStateMachine<C>>(
  dir: string,
  kind: StoreKind,
  options: StoreOptions,
  storeCodec: StoreCodec<C>,
  io: StoreIo,
  makeMachine: (parts: StoreParts<C>) => Promise<M>,
): Promise<RocksdbStorage<C, M>> {
  const { writeBufferBytes, stallMs } = checkOptions(dir, options);
  const paths = pathsOf(dir);
  const Rocks = await io.loadRocksdb();
  // Closed in reverse order, whatever fails.
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const closer of closers.splice(0).reverse()) {
      // Whatever fails, the lock is let go of in the end.
      await closer().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  };
  try {
    await attempt(paths.root, () => makeDirectory(paths.root, io));
    const lock = await takeLock(Rocks, paths.lock);
    closers.push(() => lock.close({ force: true }));
    const found = await readMarker(paths.marker);
    if (found !== null && found.kind !== kind) {
      const problem = `it is a store of kind ${found.kind}, and was opened as one of kind ${kind}`;
      throw new UnusableStoreError("unknown", paths.marker, problem);
    }
    if (found === null) await attempt(paths.root, () => beginStore(paths, kind, io));
    if (found?.begun === true && !existsSync(join(paths.database, "CURRENT"))) {
      throw new UnusableStoreError("damaged", paths.database, "the database is gone");
    }
    for (const part of [paths.database, paths.snapshots]) await attempt(part, () => makeDirectory(part, io));

    const known = found?.extent ?? NO_EXTENT;
    const { extent, cutBytes } = await attempt(paths.database, () => inspectWals(paths.database, known, io));
    const database = await openData(Rocks, paths.database, {
      createIfMissing: found?.begun !== true,
      writeBufferSize: writeBufferBytes,
    });
    let isStuck = (): boolean => false;
    closers.push(() => closeData(database, paths.database, isStuck()));
    const batches = await storedBatches(database);
    const synced = Math.max(known.batches, extent.batches);
    if (batches < synced) {
      const problem = `${synced} batches were synced, but it holds ${batches}`;
      throw new UnusableStoreError("damaged", paths.database, problem);
    }
    await removeInfoLogs(paths.lock, paths.database);

    const marker = await attempt(paths.marker, () => MarkerFile.open(paths.marker, kind, io));
    closers.push(() => marker.close());
    if (found?.begun !== true) await attempt(paths.marker, () => marker.begin());
    const wals = new WalFiles(paths.database, io);
    closers.push(() => wals.close());
    const lane = new WriteLane({ database, wals, marker, io, extent: { ...extent, batches }, stallMs });
    isStuck = () => lane.gaveUp;
    closers.push(() => lane.close());
    const records = new StateRecords(storeCodec);
    const storage = await attempt(
      paths.database,
      () => RocksdbLogStorage.open(database, lane, storeCodec),
      "damaged",
    );
    checkIdentity(storage.readIdentity(), options);
    const snapshots = await attempt(paths.snapshots, () => SnapshotStore.open(paths.snapshots, io, records));
    closers.push(() => snapshots.close());
    const stateMachine = await attempt(
      paths.database,
      () => makeMachine({ database, lane, records, snapshots }),
      "damaged",
    );
    const metrics = async (): Promise<StoreMetrics> => {
      const stopped = await database.getProperty("rocksdb.is-write-stopped");
      return { ...lane.metrics(), cutBytes, writesStopped: stopped === "1" };
    };
    return { storage, stateMachine, metrics, close, [Symbol.asyncDispose]: close };
  } catch (thrown) {
    // The reason that it cannot be opened matters more than what comes of closing the rest.
    await close().catch(() => {});
    throw thrown;
  }
}

async function attempt<T>(path: string, act: () => Promise<T>, reason: "io" | "damaged" = "io"): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof UnusableStoreError) throw cause;
    if (cause instanceof SeshatError && reason === "io") throw cause;
    throw new UnusableStoreError(reason, path, messageOf(cause), { cause });
  }
}
