import { fdatasync, write } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const SYNCS = 100;
const BLOCK_BYTES = 4096;

/** How many syncs a second the disk makes, one at a time, of a file that grows by 4 KiB for each: what a durable write waits for at least. */
export async function syncLimit(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), "seshat-sync-"));
  try {
    await using file = await open(join(dir, "file"), "w");
    const block = new Uint8Array(BLOCK_BYTES);
    const startedAt = performance.now();
    for (let i = 0; i < SYNCS; i += 1) {
      await promisify(write)(file.fd, block);
      await promisify(fdatasync)(file.fd);
    }
    return (SYNCS / (performance.now() - startedAt)) * 1000;
  } finally {
    await rm(dir, { recursive: true });
  }
}
