import { hashBytes } from "./hash.js";

/** What a state machine captured, whole. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly hash: number;
}

export function contentOf(chunks: readonly Uint8Array[]): Content {
  const bytes = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, hash: hashBytes(bytes) };
}

/** What can be had of a capture at once; null when its chunks come asynchronously. */
export function contentNow(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Content | null {
  return Symbol.iterator in chunks ? contentOf([...chunks]) : null;
}

/** Where two contents first differ, with what stands there in each. */
export function describeDifference(one: Uint8Array, other: Uint8Array): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return `from byte ${at} on: ${excerpt(one, at)} and ${excerpt(other, at)}`;
}

const BEFORE = 20;
const AFTER = 40;

function excerpt(bytes: Uint8Array, at: number): string {
  const part = bytes.subarray(Math.max(0, at - BEFORE), at + AFTER);
  const isText = part.every((byte) => byte >= 0x20 && byte < 0x7f);
  const text = isText
    ? String.fromCharCode(...part)
    : Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return JSON.stringify(`${at > BEFORE ? "..." : ""}${text}${at + AFTER < bytes.length ? "..." : ""}`);
}
