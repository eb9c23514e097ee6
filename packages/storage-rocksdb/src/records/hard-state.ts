import type { LogId, StoreIdentity, Vote } from "@seshat/common";
import { readLogId, writeLogId } from "@seshat/common/codec";
import { versionedReader, versionedWriter } from "./versioned.js";

/*
 * What a node must never forget, each under a key of its own:
 *
 *   vote     = version u8 = 1, term u64, voted for u64 (0: nobody), committed u8
 *   identity = version u8 = 1, node id u64, incarnation u64, cluster id (length u32, UTF-8)
 *   log id   = version u8 = 1, term u64, index u64
 */

export function encodeVote({ term, votedFor, committed }: Vote): Uint8Array {
  return versionedWriter(18)
    .u64(term)
    .u64(votedFor ?? 0)
    .u8(committed ? 1 : 0)
    .finish();
}

/** @throws {CodecError} when the bytes are not what {@link encodeVote} gives. */
export function decodeVote(bytes: Uint8Array): Vote {
  const reader = versionedReader("vote", bytes);
  const [term, votedFor, committed] = [reader.u64(), reader.u64(), reader.u8()];
  reader.end();
  if (committed > 1) throw reader.error(`a vote that is ${committed}, neither committed nor not`);
  return { term, votedFor: votedFor === 0 ? null : votedFor, committed: committed === 1 };
}

export function encodeIdentity({ clusterId, nodeId, incarnation }: StoreIdentity): Uint8Array {
  const writer = versionedWriter().u64(nodeId).u64(incarnation);
  return writer.bytes(new TextEncoder().encode(clusterId)).finish();
}

/** @throws {CodecError} when the bytes are not what {@link encodeIdentity} gives. */
export function decodeIdentity(bytes: Uint8Array): StoreIdentity {
  const reader = versionedReader("identity", bytes);
  const [nodeId, incarnation] = [reader.u64(), reader.u64()];
  const clusterId = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(reader.bytes());
  reader.end();
  return { clusterId, nodeId, incarnation };
}

export function encodeLogId(logId: LogId): Uint8Array {
  return writeLogId(versionedWriter(17), logId).finish();
}

/** @throws {CodecError} when the bytes are not what {@link encodeLogId} gives. */
export function decodeLogId(bytes: Uint8Array): LogId {
  const reader = versionedReader("log id", bytes);
  const logId = readLogId(reader);
  reader.end();
  return logId;
}
