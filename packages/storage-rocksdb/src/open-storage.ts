import type { BytesTypeConfig, RaftTypeConfig } from "@seshat/common";
import type { StateMachine } from "@seshat/storage";
import type { StoreCodec } from "./codec.js";
import { requestCodec } from "./codec.js";
import type { StoreIo } from "./io/store-io.js";
import { nodeIo } from "./io/store-io.js";
import { DurableStateMachine } from "./machine/durable-state-machine.js";
import { RocksdbKeyValueStateMachine } from "./machine/rocksdb-key-value-state-machine.js";
import type { RocksdbStorage } from "./opening/open-store.js";
import { openStore } from "./opening/open-store.js";
import type { StoreOptions } from "./opening/options.js";

/** Options of a store whose state machine lives in memory. */
export interface RocksdbStorageOptions<C extends RaftTypeConfig> extends StoreOptions {
  /** The application's state machine, to which nothing has been applied yet. */
  readonly stateMachine: StateMachine<C["D"], C["R"]>;
  /** How commands and descriptions of nodes stand on disk. */
  readonly codec: StoreCodec<C>;
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
  return openStore(dir, "keyValue", options, requestCodec, io, ({ database, lane, records, snapshots }) =>
    RocksdbKeyValueStateMachine.open(database, lane, records, snapshots),
  );
}
