import { EXTENT_KEY } from "../keys.js";
import type { Extent } from "./extent.js";
import { EXTENT_BYTES, decodeExtent } from "./extent.js";
import type { Fragment } from "./fragments.js";
import { ALL, BEGINNING, END, MIDDLE, blockAfter, readFragment, skipPadding } from "./fragments.js";
import { looksUnwritten } from "./torn.js";

const BATCH_HEADER_BYTES = 12;
/** How a batch begins that carries an extent: a put, and the lengths of key and value as varints. */
const EXTENT_PUT = Uint8Array.of(1, EXTENT_KEY.length, ...EXTENT_KEY, EXTENT_BYTES);
/** As much of a batch as has to be looked at. */
const HEAD_BYTES: number = BATCH_HEADER_BYTES + EXTENT_PUT.length + EXTENT_BYTES;

/** One batch in a WAL file. */
export interface WalBatch {
  /** Where it begins, and where the next one does, in bytes. */
  readonly start: number;
  readonly end: number;
  /** Its first sequence number, and the one that the next batch has to have. */
  readonly sequence: number;
  readonly nextSequence: number;
  /** What it says was durable before it, if it was to be synced itself. */
  readonly extent: Extent | null;
}

/** Why no batch can be read at some place. */
export interface WalBreak {
  /** Where the batch begins. */
  readonly at: number;
  readonly problem: string;
  /**
   * True when it looks like what a power failure leaves of a batch that was never synced: the file ends too early, or a whole sector of
   * it is zeros. A file that only grows never holds anything else of a write but what was written.
   */
  readonly torn: boolean;
}

/**
 * Reads the batches of a WAL file in order, and ends at the first place where none can be read.
 *
 * @returns that place; null when all of the file was read.
 */
export function* readBatches(bytes: Uint8Array, from = 0): Generator<WalBatch, WalBreak | null> {
  for (let at = from; at < bytes.length;) {
    const parts: Fragment[] = [];
    let next = at;
    do {
      next = skipPadding(next);
      // A file may end within the padding of a block.
      if (next >= bytes.length && parts.length === 0) return null;
      const fragment = readFragment(bytes, next);
      if (typeof fragment === "string") return breakOf(bytes, at, next, fragment);
      const expected = parts.length === 0 ? [ALL, BEGINNING] : [MIDDLE, END];
      if (!expected.includes(fragment.type)) {
        const problem = `a fragment of type ${fragment.type} where ${expected.join(" or ")} has to be`;
        return breakOf(bytes, at, next, problem);
      }
      parts.push(fragment);
      next = fragment.end;
    } while (parts.at(-1)?.type === BEGINNING || parts.at(-1)?.type === MIDDLE);
    const batch = describeBatch(headOf(bytes, parts), at, next);
    if (batch === null) return breakOf(bytes, at, next, "a batch without a header");
    yield batch;
    at = next;
  }
  return null;
}

/** The extents that batches carry which begin in any block after byte `from`: what comes after a place that cannot be read. */
export function* extentsAfter(bytes: Uint8Array, from: number): Generator<Extent> {
  for (let block = blockAfter(from); block < bytes.length; block = blockAfter(block)) {
    // A block may begin in the middle of a batch: then the first one of it is the one that begins after that.
    let at = block;
    while (at < Math.min(blockAfter(block), bytes.length)) {
      const fragment = readFragment(bytes, at);
      if (typeof fragment === "string") break;
      if (fragment.type === ALL || fragment.type === BEGINNING) {
        const batch = describeBatch(bytes.subarray(fragment.start, fragment.end), at, fragment.end);
        const extent = batch?.extent ?? null;
        if (extent !== null) yield extent;
      }
      at = skipPadding(fragment.end);
    }
  }
}

function headOf(bytes: Uint8Array, parts: readonly Fragment[]): Uint8Array {
  const [first, second] = parts as [Fragment, Fragment?];
  if (second === undefined || first.end - first.start >= HEAD_BYTES) {
    return bytes.subarray(first.start, first.end);
  }
  const head: number[] = [];
  for (const { start, end } of parts) {
    head.push(...bytes.subarray(start, Math.min(end, start + HEAD_BYTES - head.length)));
  }
  return Uint8Array.from(head);
}

function describeBatch(head: Uint8Array, start: number, end: number): WalBatch | null {
  if (head.length < BATCH_HEADER_BYTES) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const sequence = view.getUint32(4, true) * 0x1_0000_0000 + view.getUint32(0, true);
  return {
    start,
    end,
    sequence,
    nextSequence: sequence + view.getUint32(8, true),
    extent: head.length < HEAD_BYTES ? null : extentOf(head.subarray(BATCH_HEADER_BYTES, HEAD_BYTES)),
  };
}

function extentOf(operation: Uint8Array): Extent | null {
  if (EXTENT_PUT.some((byte, at) => operation[at] !== byte)) return null;
  return decodeExtent(operation.subarray(EXTENT_PUT.length));
}

function breakOf(bytes: Uint8Array, at: number, fragmentAt: number, problem: string): WalBreak {
  return { at, problem, torn: looksUnwritten(bytes, fragmentAt) };
}
