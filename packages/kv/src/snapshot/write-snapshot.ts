import { CONFIG_FIELDS } from "../config.js";
import type { CapturedDb } from "../store/db.js";
import type { Shard } from "../store/shard.js";
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
    let open = false;
    for (; done < shards.length; done++) {
      const shard = shards[done] as Shard;
      for (let slot = shard.next(0); slot >= 0; slot = shard.next(slot + 2)) {
        writeKey(frames, shard, slot);
        open = true;
        if (frames.isFull) {
          yield* frames.take();
          open = false;
        }
      }
      shard.shared -= 1;
    }
    if (open) yield* frames.take();
    yield* frames.take();
  } finally {
    for (; done < shards.length; done++) (shards[done] as Shard).shared -= 1;
    shards.length = 0;
  }
}

function writeKey(frames: FrameWriter, shard: Shard, slot: number): void {
  const value = shard.value(slot);
  const type = value instanceof Uint8Array ? "string" : value.type;
  frames.u8(TYPES.indexOf(type)).u64(shard.version(slot)).u64(shard.deadline(slot)).bytes(shard.key(slot));
  if (value instanceof Uint8Array) frames.bytes(value);
}
