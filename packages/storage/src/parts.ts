/**
 * What storages on a disk are built from: a state machine behind Raft without its snapshots, sessions, and the format of the
 * key-value state machine's snapshots. For implementers; applications need none of it.
 */
export { hashKey } from "./kv/hash-key.js";
export { fromByteString, toByteString } from "./kv/byte-string.js";
export { applyOperation } from "./kv/apply-operation.js";
export type { KeyValueMap } from "./kv/apply-operation.js";
export { mayDelete, viewOperation } from "./kv/operation-codec.js";
export { RESPONSE_CODEC } from "./kv/response-codec.js";
export { SnapshotReader } from "./kv/snapshot-reader.js";
export { streamSnapshot } from "./kv/snapshot-writer.js";
export type { CapturedState } from "./mem/applied-machine.js";
export {
  AppliedMachine,
  asStorageError,
  checkConsecutive,
  checkNotOlder,
  withPauses,
} from "./mem/applied-machine.js";
export type { Section } from "./sessions/framed-content.js";
export { takeSection, withSection } from "./sessions/framed-content.js";
export type { SessionChanges } from "./sessions/session-table.js";
export { SessionTable } from "./sessions/session-table.js";
