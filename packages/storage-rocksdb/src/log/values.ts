import type { StoreIdentity, Vote } from "@seshat/common";
import { ByteWriter } from "@seshat/common/binary";
import { versioned } from "./stored-values.js";

/*
 *   vote     = version u8 = 1, term u64, voted for u64 (0: nobody), committed u8
 *   identity = version u8 = 1, node id u64, incarnation u64, cluster id (length u32, UTF-8)
 */
const VERSION = 1;

export function encodeVote({ term, votedFor, committed }: Vote): Uint8Array {
  return new ByteWriter(18)
    .u8(VERSION)
    .u64(term)
    .u64(votedFor ?? 0)
    .u8(committed ? 1 : 0)
    .finish();
}

/** @throws {CodecError} when the bytes are not what {@link encodeVote} gives. */
export function decodeVote(bytes: Uint8Array): Vote {
  const reader = versioned("vote", bytes);
  const [term, votedFor, committed] = [reader.u64(), reader.u64(), reader.u8() === 1];
  reader.end();
  return { term, votedFor: votedFor === 0 ? null : votedFor, committed };
}

export function encodeIdentity({ clusterId, nodeId, incarnation }: StoreIdentity): Uint8Array {
  const writer = new ByteWriter().u8(VERSION).u64(nodeId).u64(incarnation);
  return writer.bytes(new TextEncoder().encode(clusterId)).finish();
}

/** @throws {CodecError} when the bytes are not what {@link encodeIdentity} gives. */
export function decodeIdentity(bytes: Uint8Array): StoreIdentity {
  const reader = versioned("identity", bytes);
  const [nodeId, incarnation] = [reader.u64(), reader.u64()];
  const clusterId = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(reader.bytes());
  reader.end();
  return { clusterId, nodeId, incarnation };
}
