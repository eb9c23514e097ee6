import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RaftTypeConfig } from "@seshat/common";
import { CodecError, SeshatError } from "@seshat/common";
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
import { closeData, openData, takeLock } from "./database.js";
import { beginStore, makeDirectory, pathsOf, removeInfoLogs } from "./directory.js";
import type { StoreOptions } from "./options.js";
import type { StoreKind } from "./marker-file.js";
import { MarkerFile, readMarker } from "./marker-file.js";
import { checkIdentity, checkOptions } from "./options.js";
import { recover } from "./recover.js";

/** What a store has done since it was opened. */
export interface StoreMetrics extends LaneMetrics {
  /** Bytes that a power failure left unfinished in the journal, and that counted no more when the store was opened. */
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
 * Opens a store, or begins it. The order is what keeps it safe: the lock before any file is looked at, the journal before anything that it says is
 * written, and nothing of it goes before the database has it in tables.
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
  // A little earlier than RocksDB would begin its next table by itself.
  const journalBytes = Math.floor((writeBufferBytes * 3) / 4);
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
    for (const part of [paths.database, paths.journal, paths.snapshots]) {
      await attempt(part, () => makeDirectory(part, io));
    }
    // An earlier start may have made them, and have ended before their names were durable.
    if (found?.begun !== true) await attempt(paths.root, () => io.syncDirectory(paths.root));
    const database = await attempt(paths.database, () =>
      openData(Rocks, paths.database, {
        createIfMissing: found?.begun !== true,
        writeBufferSize: writeBufferBytes,
      }),
    );
    // Until there is a lane to ask: what is brought in from the journal may be stuck as well.
    let isStuck = (): boolean => true;
    closers.push(() => closeData(database, paths.database, isStuck()));
    const recovered = await attempt(paths.journal, () =>
      recover(database, paths.journal, found?.durable ?? 0, { journalBytes, stallMs, io }),
    );
    const { journal, number, cutBytes } = recovered;
    closers.push(() => journal.close());
    await removeInfoLogs(paths.lock, paths.database);

    const marker = await attempt(paths.marker, () => MarkerFile.open(paths.marker, kind, io));
    closers.push(() => marker.close());
    if (found?.begun !== true) await attempt(paths.marker, () => marker.begin());
    const lane = new WriteLane({
      database,
      journal,
      marker,
      io,
      number,
      journalBytes,
      stallMs,
    });
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
    const isDamage = reason === "damaged" || cause instanceof CodecError;
    if (cause instanceof SeshatError && !isDamage) throw cause;
    throw new UnusableStoreError(isDamage ? "damaged" : "io", path, messageOf(cause), { cause });
  }
}
