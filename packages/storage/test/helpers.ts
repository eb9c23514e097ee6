import type { BasicNode, LogEntry, LogId, Membership, Request, SnapshotData } from "@seshat/common";
import { BLANK_PAYLOAD, createMembership } from "@seshat/common";
import { encodeOperation } from "../src/index.js";
import type { Operation } from "../src/index.js";

/** An entry of commands as bytes. */
export type ByteEntry = LogEntry<Request>;

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function text(bytes: Uint8Array | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : new TextDecoder().decode(bytes);
}

export function logId(term: number, index: number): LogId {
  return { term, index };
}

export function blank(term: number, index: number): ByteEntry {
  return { logId: { term, index }, payload: BLANK_PAYLOAD };
}

export function normal(term: number, index: number, operation: Operation): ByteEntry {
  return { logId: { term, index }, payload: { type: "normal", data: { data: encodeOperation(operation) } } };
}

export function set(key: string, value: string): Operation {
  return { type: "set", key: utf8(key), value: utf8(value) };
}

export function del(...keys: string[]): Operation {
  return { type: "del", keys: keys.map(utf8) };
}

export function members(...ids: number[]): Membership {
  return createMembership<BasicNode>(
    [ids],
    ids.map((id) => [id, { addr: `10.0.0.${id}:7000` }]),
  );
}

export function membershipEntry(term: number, index: number, membership: Membership): ByteEntry {
  return { logId: { term, index }, payload: { type: "membership", membership } };
}

export async function allBytes(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  const bytes: number[] = [];
  for await (const chunk of chunks) for (const byte of chunk) bytes.push(byte);
  return Uint8Array.from(bytes);
}

export async function* inChunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** The content of a snapshot as some other storage would serve it. */
export function contentOf(bytes: Uint8Array, size: number = bytes.length): SnapshotData {
  return { size, read: (offset) => inChunks(bytes.subarray(offset), 7) };
}

/** A builder's `pause` in tests, where nobody else waits for a turn. */
export async function noPause(): Promise<void> {}
