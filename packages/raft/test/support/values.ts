import type { BasicNode, LogEntry, LogId, Membership, NodeId, Request } from "@seshat/common";
import { BLANK_PAYLOAD, createMembership } from "@seshat/common";
import { encodeOperation } from "@seshat/storage";

/** An entry of commands as bytes. */
export type ByteEntry = LogEntry<Request>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : decoder.decode(bytes);
}

export function logId(term: number, index: number): LogId {
  return { term, index };
}

export function blank(term: number, index: number): ByteEntry {
  return { logId: { term, index }, payload: BLANK_PAYLOAD };
}

/** An entry that sets `key` to `value`. */
export function setEntry(term: number, index: number, key: string, value: string): ByteEntry {
  return { logId: { term, index }, payload: { type: "normal", data: { data: setCommand(key, value) } } };
}

/** Blank entries of `term`, from index `since` to index `upto`. */
export function blanks(term: number, since: number, upto: number): ByteEntry[] {
  return Array.from({ length: upto - since + 1 }, (_, i) => blank(term, since + i));
}

export function setCommand(key: string, value: string): Uint8Array {
  return encodeOperation({ type: "set", key: utf8(key), value: utf8(value) });
}

export function nodesFor(...ids: readonly NodeId[]): [NodeId, BasicNode][] {
  return ids.map((id) => [id, { addr: `10.0.0.${id}:7000` }]);
}

/** A membership whose voters are `ids`. */
export function voters(...ids: readonly NodeId[]): Membership {
  return createMembership([ids], nodesFor(...ids));
}

export function membershipEntry(term: number, index: number, membership: Membership): ByteEntry {
  return { logId: { term, index }, payload: { type: "membership", membership } };
}
