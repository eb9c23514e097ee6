import type { LogId } from "../log-id.js";
import type { BasicNode } from "../node.js";
import { cut } from "./wire-text.js";

/** What JSON can say, and nothing that it would change. */
export type WireValue = string | number | boolean | null | { readonly [key: string]: WireValue };

/** Thrown, and caught, where something that came is not what it should be. */
class Malformed extends Error {}

/** How one field of an error travels. */
export interface FieldCodec<T> {
  encode(value: T): WireValue;
  /** @throws {Malformed} when it cannot be one. */
  decode(wire: unknown): T;
}

/** The longest address that is taken, in UTF-16 units: half an address is another address, so none is cut. */
const MAX_ADDRESS_LENGTH = 1024;

/** What is said to people; cut when it is very long. */
export const text: FieldCodec<string> = {
  encode: cut,
  decode: (wire) => cut(asString(wire)),
};

/** A number of any kind. Those that JSON cannot say travel as text. */
export const number: FieldCodec<number> = {
  encode(value) {
    if (Object.is(value, -0)) return "-0";
    return Number.isFinite(value) ? value : String(value);
  },
  decode(wire) {
    if (typeof wire === "number") return wire;
    if (["-0", "NaN", "Infinity", "-Infinity"].includes(asString(wire))) return Number(wire);
    throw new Malformed();
  },
};

/** A node id. */
export const nodeId: FieldCodec<number> = integer(1);

/** An index of the log, or a term. */
export const position: FieldCodec<number> = integer(0);

export const logId: FieldCodec<LogId> = {
  encode: ({ term, index }) => ({ term: position.encode(term), index: position.encode(index) }),
  decode: (wire) => ({
    term: position.decode(ownValue(wire, "term")),
    index: position.decode(ownValue(wire, "index")),
  }),
};

/** Where a node is. What an application's own nodes say beside it stays behind. */
export const node: FieldCodec<BasicNode> = {
  encode: ({ addr }) => ({ addr }),
  decode(wire) {
    const addr = asString(ownValue(wire, "addr"));
    if (addr.length > MAX_ADDRESS_LENGTH) throw new Malformed();
    return { addr };
  },
};

/** The same, or null. */
export function nullable<T>(codec: FieldCodec<T>): FieldCodec<T | null> {
  return {
    encode: (value) => (value === null ? null : codec.encode(value)),
    decode: (wire) => (wire === null ? null : codec.decode(wire)),
  };
}

/** One of a few words, all of them named: a new one that is missing here does not compile. */
export function oneOf<W extends string>(words: Readonly<Record<W, true>>): FieldCodec<W> {
  return {
    encode: (word) => word,
    decode(wire) {
      const word = asString(wire);
      if (!Object.hasOwn(words, word)) throw new Malformed();
      return word as W;
    },
  };
}

/** What an object that came says for `key` by itself: nothing is ever read from its prototype. */
export function ownValue(wire: unknown, key: string): unknown {
  if (typeof wire !== "object" || wire === null || !Object.hasOwn(wire, key)) throw new Malformed();
  return (wire as Record<string, unknown>)[key];
}

export function asString(wire: unknown): string {
  if (typeof wire !== "string") throw new Malformed();
  return wire;
}

function integer(min: number): FieldCodec<number> {
  return {
    encode: (value) => value,
    decode(wire) {
      if (typeof wire !== "number" || !Number.isSafeInteger(wire) || wire < min) throw new Malformed();
      return wire;
    },
  };
}
