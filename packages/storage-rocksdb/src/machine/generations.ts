import { SnapshotReader } from "@seshat/storage/parts";
import { DATA_END, DATA_START, generationKey } from "../keys.js";
import type { WriteLane } from "../lane/write-lane.js";
import { RecordSlab } from "./record-slab.js";

/**
 * What is written at a time while a snapshot is installed. Of a larger batch V8 moves what stands for its records to its old generation, where it stays
 * for long: with 1 MiB the heap grew by 100 MiB.
 */
const INSTALL_BATCH_BYTES = 262_144;

/** Writes the content of a snapshot as a generation of the data that does not count yet. It is not durable: see `WriteLane.flush`. */
export async function writeGeneration(
  lane: WriteLane,
  generation: number,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const records = new RecordSlab(generation);
  const reader = new SnapshotReader((key, value) => records.add(key, value));
  const write = async (): Promise<void> => {
    await lane.unlogged("install snapshot", records.bytes, (batch) => records.putInto(batch));
    records.clear();
  };
  for await (const chunk of content) {
    reader.push(chunk);
    if (records.bytes >= INSTALL_BATCH_BYTES) await write();
  }
  reader.finish();
  if (records.bytes > 0) await write();
}

/** Removes what was written of a generation that will not count; what cannot be removed now goes at the next start. */
export async function dropGeneration(lane: WriteLane, generation: number): Promise<void> {
  try {
    await lane.unlogged("install snapshot", 0, (batch) =>
      batch.tryDeleteRange(generationKey(generation), generationKey(generation + 1)),
    );
  } catch {
    // The reason to give up matters more.
  }
}

/** Removes every generation but one: what an installation began that a crash ended. */
export function dropOtherGenerations(lane: WriteLane, generation: number): Promise<void> {
  return lane.unlogged("install snapshot", 0, (batch) => {
    batch.tryDeleteRange(DATA_START, generationKey(generation));
    batch.tryDeleteRange(generationKey(generation + 1), DATA_END);
  });
}
