import { mkdir, readdir, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import type { BytesTypeConfig, NodeId, RaftTypeConfig } from "@seshat/common";
import { ForeignStoreError, InvalidValueError, SeshatError, checkInteger, checkNodeId } from "@seshat/common";
import type { RaftStateMachine, RaftStorage, StateMachine } from "@seshat/storage";
import type { StoreCodec } from "./codec.js";
import { requestCodec } from "./codec.js";
import { UnusableStoreError, messageOf } from "./errors.js";
import type { StoreIo } from "./io/store-io.js";
import { nodeIo } from "./io/store-io.js";
import { EXTENT_KEY } from "./keys.js";
import { StoredValues } from "./log/stored-values.js";
import { RocksdbLogStorage } from "./log/log-storage.js";
import { DurableStateMachine } from "./machine/durable-state-machine.js";
import { RocksdbKeyValueStateMachine } from "./machine/rocksdb-key-value-state-machine.js";
import type { StoreKind } from "./marker-file.js";
import { MarkerFile, createMarker, readMarker } from "./marker-file.js";
import type { RocksConstructor, RocksDatabase } from "./native/rocksdb.js";
import { SnapshotStore } from "./snapshots/snapshot-store.js";
import type { Extent } from "./wal/extent.js";
import { NO_EXTENT, decodeExtent } from "./wal/extent.js";
import { inspectWals } from "./wal/inspect-wals.js";
import { WalFiles } from "./wal/wal-files.js";
import type { LaneMetrics } from "./write-lane.js";
import { WriteLane } from "./write-lane.js";

/** Options of any store. */
export interface StoreOptions {
  /** Refuse a store of another cluster. Default: the node that starts on it checks. */
  readonly clusterId?: string;
  /** Refuse a store of another node. Default: the node that starts on it checks. */
  readonly nodeId?: NodeId;
  /** Bytes of a memtable of RocksDB, and about those of a WAL file; from 64 KiB to 1 GiB. Default 64 MiB. */
  readonly writeBufferBytes?: number;
  /** A batch or sync that takes longer counts as a stall in the metrics, in milliseconds. Default 1000. */
  readonly stallMs?: number;
}

/** Options of a store whose state machine lives in memory. */
export interface RocksdbStorageOptions<C extends RaftTypeConfig> extends StoreOptions {
  /** The application's state machine, to which nothing has been applied yet. */
  readonly stateMachine: StateMachine<C["D"], C["R"]>;
  /** How commands and descriptions of nodes stand on disk. */
  readonly codec: StoreCodec<C>;
}

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

/**
 * Opens the store in directory `dir`, or begins it where the directory is empty or missing: a durable log, and the application's state
 * machine in memory with durable snapshots.
 *
 * @throws {UnusableStoreError} when it cannot be opened; `reason` says why.
 * @throws {ForeignStoreError} when it belongs to another node or cluster than the options say.
 * @throws {InvalidValueError} when an option is none.
 */
export function openRocksdbStorage<C extends RaftTypeConfig>(
  dir: string,
  options: RocksdbStorageOptions<C>,
): Promise<RocksdbStorage<C>> {
  return openMemoryStore(dir, options, nodeIo);
}

/**
 * The same with the key-value state machine, its data on disk.
 *
 * @throws the same.
 */
export function openRocksdbKeyValueStorage(
  dir: string,
  options: StoreOptions = {},
): Promise<RocksdbStorage<BytesTypeConfig, RocksdbKeyValueStateMachine>> {
  return openKeyValueStore(dir, options, nodeIo);
}

/** With other calls to the file system: for tests. */
export function openMemoryStore<C extends RaftTypeConfig>(
  dir: string,
  options: RocksdbStorageOptions<C>,
  io: StoreIo,
): Promise<RocksdbStorage<C>> {
  return openStore(dir, "memory", options, options.codec, io, async ({ lane, snapshots }) => {
    return new DurableStateMachine<C>(lane, snapshots, options.stateMachine);
  });
}

/** With other calls to the file system: for tests. */
export function openKeyValueStore(
  dir: string,
  options: StoreOptions,
  io: StoreIo,
): Promise<RocksdbStorage<BytesTypeConfig, RocksdbKeyValueStateMachine>> {
  return openStore(dir, "keyValue", options, requestCodec, io, ({ database, lane, codec, snapshots }) =>
    RocksdbKeyValueStateMachine.open(database, lane, codec, snapshots),
  );
}

interface StoreParts<C extends RaftTypeConfig> {
  readonly database: RocksDatabase;
  readonly lane: WriteLane;
  readonly codec: StoredValues<C>;
  readonly snapshots: SnapshotStore<C>;
}

const DEFAULT_WRITE_BUFFER_BYTES = 67_108_864;
const MIN_WRITE_BUFFER_BYTES = 65_536;
const MAX_WRITE_BUFFER_BYTES = 1_073_741_824;
/** `TOLERATE_CORRUPTED_TAIL_RECORDS`. The default of the addon silently drops all that comes after damage. */
const WAL_RECOVERY_MODE = 0;
/** Logs of earlier starts that RocksDB leaves and nobody reads. */
const KEPT_INFO_LOGS = 2;

async function openStore<C extends RaftTypeConfig, M extends RaftStateMachine<C>>(
  dir: string,
  kind: StoreKind,
  options: StoreOptions,
  storeCodec: StoreCodec<C>,
  io: StoreIo,
  makeMachine: (parts: StoreParts<C>) => Promise<M>,
): Promise<RocksdbStorage<C, M>> {
  const { writeBufferBytes, stallMs } = checkOptions(dir, options);
  const root = resolve(dir);
  const [lockDir, databaseDir, snapshotDir] = ["lock", "db", "snapshots"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const markerPath = join(root, "seshat.store");
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
    await attempt(root, () => mkdir(root, { recursive: true }));
    const lock = await takeLock(Rocks, lockDir);
    closers.push(() => lock.close({ force: true }));
    const found = await readMarker(markerPath);
    if (found !== null && found.kind !== kind) {
      const problem = `it is a store of kind ${found.kind}, and was opened as one of kind ${kind}`;
      throw new UnusableStoreError("unknown", markerPath, problem);
    }
    if (found === null) await attempt(root, () => beginStore(root, markerPath, kind, io));
    if (found?.begun === true && !existsSync(join(databaseDir, "CURRENT"))) {
      throw new UnusableStoreError("damaged", databaseDir, "the database is gone");
    }
    for (const part of [databaseDir, snapshotDir])
      await attempt(part, () => mkdir(part, { recursive: true }));
    await attempt(root, () => io.syncDirectory(root));

    const known = found?.extent ?? NO_EXTENT;
    const { extent, cutBytes } = await attempt(databaseDir, () => inspectWals(databaseDir, known, io));
    const database = await openDatabase(Rocks, databaseDir, {
      createIfMissing: found?.begun !== true,
      walRecoveryMode: WAL_RECOVERY_MODE,
      writeBufferSize: writeBufferBytes,
    });
    closers.push(() => database.close({ force: true }));
    const batches = await storedBatches(database);
    if (batches < Math.max(known.batches, extent.batches)) {
      const problem = `${known.batches} batches were synced, but it holds ${batches}`;
      throw new UnusableStoreError("damaged", databaseDir, problem);
    }
    await removeInfoLogs(lockDir, databaseDir);

    const marker = await attempt(markerPath, () => MarkerFile.open(markerPath, kind, io));
    closers.push(() => marker.close());
    if (found?.begun !== true) await attempt(markerPath, () => marker.begin());
    const wals = new WalFiles(databaseDir, io);
    closers.push(() => wals.close());
    const lane = new WriteLane({ database, wals, marker, io, extent: { ...extent, batches }, stallMs });
    closers.push(() => lane.close());
    const codec = new StoredValues(storeCodec);
    const storage = await attempt(
      databaseDir,
      () => RocksdbLogStorage.open(database, lane, codec),
      "damaged",
    );
    checkIdentity(storage, options);
    const snapshots = await attempt(snapshotDir, () => SnapshotStore.open(snapshotDir, io, codec));
    closers.push(() => snapshots.close());
    const stateMachine = await attempt(
      databaseDir,
      () => makeMachine({ database, lane, codec, snapshots }),
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

function checkOptions(
  dir: unknown,
  options: StoreOptions,
): { readonly writeBufferBytes: number; readonly stallMs: number } {
  if (typeof dir !== "string" || dir === "" || (isAbsolute(dir) && dir.includes("\0"))) {
    throw new InvalidValueError("dir", dir, "the path of a directory");
  }
  const { clusterId, nodeId, writeBufferBytes = DEFAULT_WRITE_BUFFER_BYTES, stallMs = 1000 } = options;
  checkInteger("options.writeBufferBytes", writeBufferBytes, MIN_WRITE_BUFFER_BYTES);
  if (writeBufferBytes > MAX_WRITE_BUFFER_BYTES) {
    throw new InvalidValueError(
      "options.writeBufferBytes",
      writeBufferBytes,
      `at most ${MAX_WRITE_BUFFER_BYTES}`,
    );
  }
  checkInteger("options.stallMs", stallMs, 1);
  if (nodeId !== undefined) checkNodeId("options.nodeId", nodeId);
  if (clusterId !== undefined && typeof clusterId !== "string") {
    throw new InvalidValueError("options.clusterId", clusterId, "a string");
  }
  return { writeBufferBytes, stallMs };
}

/**
 * An empty database of its own, whose lock is held for as long as the store is open. The lock is the operating system's and ends with
 * the process; Node.js offers none, and that of the data's database cannot be had before its files are looked at.
 */
async function takeLock(Rocks: RocksConstructor, path: string): Promise<RocksDatabase> {
  try {
    return await openDatabase(Rocks, path, {
      createIfMissing: true,
      writeBufferSize: MIN_WRITE_BUFFER_BYTES,
    });
  } catch (cause) {
    if (!(cause instanceof UnusableStoreError)) throw cause;
    if (!/lock hold by current process|lock file|No locks available/i.test(cause.problem)) throw cause;
    const who = cause.problem.includes("current process") ? "this process" : "another process";
    throw new UnusableStoreError("locked", path, `${who} has the store open (${cause.problem})`, { cause });
  }
}

async function openDatabase(
  Rocks: RocksConstructor,
  path: string,
  options: ConstructorParameters<RocksConstructor>[1],
): Promise<RocksDatabase> {
  const database = new Rocks(path, options);
  try {
    await database.ready();
    return database;
  } catch (cause) {
    const problem = messageOf(cause);
    throw new UnusableStoreError(/corruption/i.test(problem) ? "damaged" : "io", path, problem, { cause });
  }
}

/** @throws {UnusableStoreError} when the directory holds anything else. */
async function beginStore(root: string, markerPath: string, kind: StoreKind, io: StoreIo): Promise<void> {
  const files = (await readdir(root)).filter((name) => name !== "lock");
  if (files.length > 0 && !(files.length === 1 && files[0] === "seshat.store.new")) {
    const problem = `it holds ${files.slice(0, 5).join(", ")}, and no marker of a store`;
    throw new UnusableStoreError("unknown", root, problem);
  }
  const path = `${markerPath}.new`;
  await rm(path, { force: true });
  await createMarker(path, kind, io);
  await io.rename(path, markerPath);
  await io.syncDirectory(root);
}

/** How many batches the database holds that were to be synced. */
async function storedBatches(database: RocksDatabase): Promise<Extent["batches"]> {
  const bytes = await database.get(EXTENT_KEY);
  return bytes === null ? 0 : decodeExtent(bytes).batches;
}

async function removeInfoLogs(...dirs: readonly string[]): Promise<void> {
  for (const dir of dirs) {
    const names = (await readdir(dir)).filter((name) => name.startsWith("LOG.old.")).sort();
    for (const name of names.slice(0, -KEPT_INFO_LOGS)) await rm(join(dir, name), { force: true });
  }
}

function checkIdentity<C extends RaftTypeConfig>(
  storage: RocksdbLogStorage<C>,
  { clusterId, nodeId }: StoreOptions,
): void {
  const identity = storage.readIdentity();
  if (identity === null) return;
  if (clusterId !== undefined && clusterId !== identity.clusterId) {
    throw new ForeignStoreError("clusterId", identity.clusterId, clusterId);
  }
  if (nodeId !== undefined && nodeId !== identity.nodeId) {
    throw new ForeignStoreError("nodeId", String(identity.nodeId), String(nodeId));
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
