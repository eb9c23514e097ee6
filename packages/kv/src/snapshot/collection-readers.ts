import type { ByteReader } from "@seshat/common/binary";
import { toByteString } from "@seshat/storage/parts";
import type { HashSeed } from "../store/dict.js";
import type { Collection } from "../store/value.js";
import { HashValue } from "../types/hash-value.js";
import { ListValue } from "../types/list-value.js";
import type { Scored } from "../types/zset-value.js";
import { ZsetValue } from "../types/zset-value.js";
import { RisingKeys } from "./rising-keys.js";

/** Builds a collection from its elements, one by one. */
export interface CollectionReader {
  readonly collection: Collection;
  /** @throws {CodecError} when the element is damaged, or does not stand where it belongs. */
  take(payload: ByteReader): void;
}

export function readerFor(type: Collection["type"], seed: HashSeed): CollectionReader {
  switch (type) {
    case "hash":
    case "set":
      return hashReader(type, seed);
    case "list":
      return listReader();
    case "zset":
      return zsetReader(seed);
    default:
      return type satisfies never;
  }
}

function hashReader(type: "hash" | "set", seed: HashSeed): CollectionReader {
  const collection = new HashValue(type, seed);
  const rising = new RisingKeys(seed);
  return {
    collection,
    take: (payload) => {
      const field = payload.bytes();
      if (!rising.accepts(field)) throw payload.error("fields that do not rise");
      collection.set(field, type === "hash" ? payload.bytes() : undefined);
    },
  };
}

function listReader(): CollectionReader {
  const collection = new ListValue();
  return { collection, take: (payload) => collection.insert(collection.size, payload.bytes()) };
}

function zsetReader(seed: HashSeed): CollectionReader {
  const collection = new ZsetValue(seed);
  let last: Scored | null = null;
  return {
    collection,
    take: (payload) => {
      const score = readF64(payload);
      const bytes = payload.bytes();
      const member = toByteString(bytes);
      const rises = last === null || last.score < score || (last.score === score && last.member < member);
      if (Number.isNaN(score) || Object.is(score, -0) || !rises || collection.score(bytes) !== null) {
        throw payload.error("members that do not rise");
      }
      collection.set(bytes, score);
      last = { score, member };
    },
  };
}

function readF64(payload: ByteReader): number {
  const bytes = payload.raw(8);
  return new DataView(bytes.buffer).getFloat64(0);
}
