import { fromByteString } from "@seshat/storage/parts";
import { CONFIG_FIELDS } from "../config.js";
import type { CapturedDb } from "../store/db.js";
import type { Shard } from "../store/shard.js";
import type { Collection } from "../store/value.js";
import { HashValue } from "../types/hash-value.js";
import { ListValue } from "../types/list-value.js";
import { ZsetValue } from "../types/zset-value.js";
import { MAGIC, TYPES, VERSION } from "./format.js";
import { FrameWriter } from "./frame-writer.js";

/** Writes a captured state, and lets each part of it go as soon as it is written: what is changed from then on is not copied any more. */
export function* writeSnapshot(captured: CapturedDb, seeded: boolean): Generator<Uint8Array> {
  const { seed, clock, config, size, shards } = captured;
  const frames = new FrameWriter();
  let done = 0;
  try {
    frames
      .u32(MAGIC)
      .u8(VERSION)
      .u8(seeded ? 1 : 0)
      .u32(seed.k0)
      .u32(seed.k1)
      .u64(clock);
    frames.u8(CONFIG_FIELDS.length);
    for (const { name } of CONFIG_FIELDS) frames.u64(config[name]);
    frames.u64(size);
    yield* frames.take();
    for (; done < shards.length; done++) {
      const shard = shards[done] as Shard;
      for (let slot = shard.next(0); slot >= 0; slot = shard.next(slot + 2)) {
        const value = writeKey(frames, shard, slot);
        if (value !== null) {
          for (const element of elementsOf(value)) {
            for (const field of element) {
              if (typeof field === "number") frames.f64(field);
              else frames.bytes(field);
            }
            if (frames.isFull) yield* frames.take();
          }
        }
        if (frames.isFull) yield* frames.take();
      }
      shard.shared -= 1;
    }
    if (!frames.isEmpty) yield* frames.take();
    yield* frames.take();
  } finally {
    for (; done < shards.length; done++) (shards[done] as Shard).shared -= 1;
    shards.length = 0;
  }
}

/** @returns what the key holds, when its elements have to follow. */
function writeKey(frames: FrameWriter, shard: Shard, slot: number): Collection | null {
  const value = shard.value(slot);
  const type = value instanceof Uint8Array ? "string" : value.type;
  frames.u8(TYPES.indexOf(type)).u64(shard.version(slot)).u64(shard.deadline(slot)).bytes(shard.key(slot));
  if (value instanceof Uint8Array) {
    frames.bytes(value);
    return null;
  }
  frames.u64(value.size);
  return value;
}

/** What is written of each element, one after the other. */
function* elementsOf(value: Collection): Generator<readonly (Uint8Array | number)[]> {
  if (value instanceof HashValue) {
    for (const [field, held] of value.each()) yield value.type === "set" ? [field] : [field, held];
  } else if (value instanceof ListValue) {
    for (const element of value.elements()) yield [element];
  } else if (value instanceof ZsetValue) {
    for (const { score, member } of value.elements()) yield [score, fromByteString(member)];
  }
}
