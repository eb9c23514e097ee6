import type { LogEntry } from "@seshat/common";

/** Multipliers of the hashes: odd, with bits all over. */
const ORDER_FACTOR = 0x85ebca6b;
const INDEX_FACTOR = 0x9e3779b1;

/** What an index counts in a sum of indexes that wraps around at 2^32. */
export function hashIndex(index: number): number {
  return Math.imul(index, INDEX_FACTOR);
}

/** Counts the entries that pass in order, and keeps of them a few numbers that two nodes can be compared by. */
export class Tally {
  /** The index of the last entry. */
  index = 0;
  /** How many carried a command. */
  writes = 0;
  /** Depends on the term and the kind of payload at every index. */
  orderHash = 0;
  /** The sum of {@link hashIndex} of the entries that carried a command. */
  writesHash = 0;

  /** @throws {VerificationError} when an entry does not follow on the one before. */
  add(entries: readonly LogEntry<unknown, unknown>[]): void {
    let { index, writes, orderHash, writesHash } = this;
    for (const { logId, payload } of entries) {
      index += 1;
      if (logId.index !== index)
        throw new VerificationError(`entry ${logId.index} came where entry ${index} was next`);
      const isWrite = payload.type === "normal";
      orderHash = Math.imul(orderHash, ORDER_FACTOR) + 2 * logId.term + (isWrite ? 1 : 0);
      if (!isWrite) continue;
      writes += 1;
      writesHash = (writesHash + hashIndex(index)) | 0;
    }
    this.index = index;
    this.writes = writes;
    this.orderHash = orderHash | 0;
    this.writesHash = writesHash;
  }
}

/** A benchmark's work was not what it claims: its figures count for nothing. */
export class VerificationError extends Error {
  override readonly name = "VerificationError";
}

/** What lies behind an error when it is that work was not done: a node that noticed it has stopped, and fails every call with the reason. */
export function verificationErrorBehind(thrown: unknown): VerificationError | null {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if (error instanceof VerificationError) return error;
  return null;
}
