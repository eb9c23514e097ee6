/** Durable storage for Seshat: vote, log, state machine and snapshots of a node in one directory, on RocksDB. */
export { jsonCodec, requestCodec } from "./codec.js";
export type { ByteCodec, StoreCodec } from "./codec.js";
export { UnusableStoreError } from "./errors.js";
export type { UnusableReason } from "./errors.js";
export type { DurableStateMachine } from "./machine/durable-state-machine.js";
export type { RocksdbKeyValueStateMachine } from "./machine/rocksdb-key-value-state-machine.js";
export { openRocksdbKeyValueStorage, openRocksdbStorage } from "./open-storage.js";
export type { RocksdbStorageOptions } from "./open-storage.js";
export type { RocksdbStorage, StoreMetrics } from "./opening/open-store.js";
export type { StoreOptions } from "./opening/options.js";
export type { LaneMetrics } from "./lane/lane-metrics.js";
