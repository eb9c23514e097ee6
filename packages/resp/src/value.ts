/**
 * A reply, in the words of RESP3. RESP2 has fewer; each member says what it becomes there.
 *
 * Plain data, so that what makes replies needs no import of this package.
 */
export type RespValue =
  /** RESP2: the null bulk string. */
  | null
  /** An integer of 64 bits. `bigint` where a number would not be exact. */
  | number
  | bigint
  /** RESP2: the integer 1 or 0. */
  | boolean
  /** A bulk string. */
  | Uint8Array
  | readonly RespValue[]
  | RespSimple
  | RespError
  /** RESP2: the null array, which differs from the null bulk string. RESP3 has one null only. */
  | { readonly type: "nullArray" }
  /** RESP2: an array of keys and values by turns. */
  | { readonly type: "map"; readonly entries: readonly (readonly [RespValue, RespValue])[] }
  /** An array of pairs. RESP2: an array of what they consist of, by turns. */
  | { readonly type: "pairs"; readonly entries: readonly (readonly [RespValue, RespValue])[] }
  /** RESP2: an array. */
  | { readonly type: "set"; readonly items: readonly RespValue[] }
  /** RESP2: a bulk string. Both as C's `%.17g`, like Redis 7.0. */
  | { readonly type: "double"; readonly value: number }
  /** Text with a format of three characters, `txt` or `mkd`. RESP2: a bulk string without the format. */
  | { readonly type: "verbatim"; readonly format: string; readonly text: Uint8Array }
  /** What the server says unasked. RESP2: an array. */
  | { readonly type: "push"; readonly items: readonly RespValue[] }
  /** RESP2: a bulk string. */
  | { readonly type: "bigNumber"; readonly value: bigint };

/**
 * A status such as `OK`.
 *
 * `text`: one character for each byte (Latin-1), so that bytes that a client sent can be repeated to it as they came.
 * Text with a character above U+00FF is written as UTF-8. CR and LF are written as spaces.
 */
export interface RespSimple {
  readonly type: "simple";
  readonly text: string;
}

/** An error, with its code: `ERR syntax error`. The characters of `message` are those of {@link RespSimple}; line ends at its end are left out. */
export interface RespError {
  readonly type: "error";
  readonly message: string;
}

/** Version 2 is what every connection starts with; `HELLO 3` changes it. */
export type RespVersion = 2 | 3;
