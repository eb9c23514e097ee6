import type { BasicNode, LogEntry, LogId, Membership, Request, SnapshotData } from "@seshat/common";
import { BLANK_PAYLOAD, CodecError, createMembership } from "@seshat/common";
import { SessionRefusal, encodeOperation } from "../src/index.js";
import type { ApplyResponse, Operation, ResponseCodec } from "../src/index.js";

/** An entry of commands as bytes. */
export type ByteEntry = LogEntry<Request>;

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function text(bytes: Uint8Array | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : new TextDecoder().decode(bytes);
}

/** Responses that are texts, as UTF-8. */
export const TEXT_CODEC: ResponseCodec<string> = {
  encode: utf8,
  decode(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new CodecError("text", 0, "not UTF-8");
    }
  },
};

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

/** The response, where no session was refused. */
export function responseOf<R>(answer: ApplyResponse<R>): R | undefined {
  if (answer instanceof SessionRefusal) throw new Error(`refused: ${answer.problem}`);
  return answer;
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

/** What stands before the application's content in a snapshot without sessions: a section of length 0. */
export const NO_SECTION: Uint8Array = new Uint8Array(8);

/** The content of a snapshot of `bytes`, without sessions. */
export function withoutSessions(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...NO_SECTION, ...bytes);
}

/** A builder's `pause` in tests, where nobody else waits for a turn. */
export async function noPause(): Promise<void> {}
