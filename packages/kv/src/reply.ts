/** What a command answers, as plain data: the RESP values that data commands answer with. */
export type Reply =
  /** Nothing: no such key, or a condition that did not hold. */
  | null
  /** An integer; a bigint beyond 2^53. */
  | number
  | bigint
  /** A string of bytes. */
  | Uint8Array
  | readonly Reply[]
  | SimpleReply
  | ErrorReply
  /** No array: a transaction that was not carried out. */
  | NullArrayReply
  | MapReply
  | PairsReply
  | SetReply
  | DoubleReply;

/** A line of text, such as `OK`. */
export interface SimpleReply {
  readonly type: "simple";
  readonly text: string;
}

/** An error, its code first: `WRONGTYPE Operation against ...`. */
export interface ErrorReply {
  readonly type: "error";
  readonly message: string;
}

export interface NullArrayReply {
  readonly type: "nullArray";
}

/** Names and values: an array of both by turns in RESP2. */
export interface MapReply {
  readonly type: "map";
  readonly entries: readonly (readonly [Reply, Reply])[];
}

/** Pairs in an order: an array of all of them by turns in RESP2, an array of pairs in RESP3. */
export interface PairsReply {
  readonly type: "pairs";
  readonly entries: readonly (readonly [Reply, Reply])[];
}

/** Different things in no order: an array in RESP2. */
export interface SetReply {
  readonly type: "set";
  readonly items: readonly Reply[];
}

/** A floating point number: a string of bytes in RESP2. */
export interface DoubleReply {
  readonly type: "double";
  readonly value: number;
}

/** What an entry answers: a reply for each of its parts. */
export interface KvResponse {
  readonly replies: readonly Reply[];
}

export const OK: SimpleReply = Object.freeze({ type: "simple", text: "OK" });
export const NULL_ARRAY: NullArrayReply = Object.freeze({ type: "nullArray" });

export function errorReply(message: string): ErrorReply {
  return { type: "error", message };
}

const encoder = new TextEncoder();

/** Text as a string of bytes. */
export function text(value: string): Uint8Array {
  return encoder.encode(value);
}
