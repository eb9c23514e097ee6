import type { NodeId, StoreIdentity } from "@seshat/common";
import { ForeignStoreError, InvalidValueError, checkInteger, checkNodeId } from "@seshat/common";

/** Options of any store. */
export interface StoreOptions {
  /** Refuse a store of another cluster. Default: the node that starts on it checks. */
  readonly clusterId?: string;
  /** Refuse a store of another node. Default: the node that starts on it checks. */
  readonly nodeId?: NodeId;
  /** Bytes of a memtable of RocksDB. Three quarters of that are done again at a start as a rule, and four times as much where tables are slow to be made. From 64 KiB to 1 GiB; default 32 MiB. */
  readonly writeBufferBytes?: number;
  /**
   * A batch, or a write to the journal, that takes longer counts as a stall in the metrics, in milliseconds. A batch that does is given up, and the store fails,
   * if RocksDB could not write a table meanwhile: the disk is full. Default 1000.
   */
  readonly stallMs?: number;
}

const DEFAULT_WRITE_BUFFER_BYTES = 33_554_432;
const MIN_WRITE_BUFFER_BYTES = 65_536;
const MAX_WRITE_BUFFER_BYTES = 1_073_741_824;

/** @throws {InvalidValueError} when an option is none. */
export function checkOptions(
  dir: unknown,
  options: StoreOptions,
): { readonly writeBufferBytes: number; readonly stallMs: number } {
  if (typeof dir !== "string" || dir === "" || dir.includes("\0")) {
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

/** @throws {ForeignStoreError} when the store belongs to another cluster or node than the options say. */
export function checkIdentity(identity: StoreIdentity | null, { clusterId, nodeId }: StoreOptions): void {
  if (identity === null) return;
  if (clusterId !== undefined && clusterId !== identity.clusterId) {
    throw new ForeignStoreError("clusterId", identity.clusterId, clusterId);
  }
  if (nodeId !== undefined && nodeId !== identity.nodeId) {
    throw new ForeignStoreError("nodeId", String(identity.nodeId), String(nodeId));
  }
}
