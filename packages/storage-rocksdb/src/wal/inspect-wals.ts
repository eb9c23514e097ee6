import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { UnusableStoreError } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";
import type { Extent } from "./extent.js";
import { furtherExtent } from "./extent.js";
import type { WalBreak } from "./wal-records.js";
import { extentsAfter, readBatches } from "./wal-records.js";

const WAL_NAME = /^(\d{6,})\.log$/;

/** The name of the WAL file with this number, as RocksDB gives it. */
export function walName(number: number): string {
  return `${String(number).padStart(6, "0")}.log`;
}

/** The numbers of the WAL files of a database, ascending. */
export async function walNumbers(dir: string): Promise<number[]> {
  const numbers = (await readdir(dir)).flatMap((name) => {
    const [, digits] = WAL_NAME.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
  return numbers.sort((a, b) => a - b);
}

/** From where on nothing of the WAL files can be used. */
interface Cut {
  readonly wal: number;
  /** How much of that file stays. */
  readonly size: number;
  readonly problem: string;
  readonly torn: boolean;
}

/** What was found in the WAL files of a store, for its log. */
export interface WalReport {
  readonly extent: Extent;
  /** How many bytes were never synced and are gone. */
  readonly cutBytes: number;
}

/**
 * Looks at the WAL files of a database that is not open. What a power failure left incomplete and was never synced is cut off, with
 * everything that was written after it, so that what RocksDB finds is everything up to some moment. RocksDB alone would keep what is in
 * a later file, and would take damage in the last block for an end.
 *
 * @param known the extent that the marker of the store tells.
 * @throws {UnusableStoreError} when something that was synced is missing or damaged, or when that cannot be told.
 */
export async function inspectWals(dir: string, known: Extent, io: StoreIo): Promise<WalReport> {
  let extent = known;
  let cut: Cut | null = null;
  let previous: { readonly wal: number; readonly size: number; readonly nextSequence: number } | null = null;
  const numbers = await walNumbers(dir);
  for (const wal of numbers) {
    const bytes = await readFile(join(dir, walName(wal)));
    const batches = readBatches(bytes);
    let next = batches.next();
    for (; next.done !== true; next = batches.next()) {
      const { value: batch } = next;
      if (cut === null && previous !== null && batch.sequence !== previous.nextSequence) {
        const problem = `what comes after byte ${previous.size} is missing: ${walName(wal)} goes on with write ${batch.sequence}, and not ${previous.nextSequence}`;
        cut = { wal: previous.wal, size: previous.size, problem, torn: previous.wal !== wal };
      }
      if (cut === null) previous = { wal, size: batch.end, nextSequence: batch.nextSequence };
      if (batch.extent !== null)
        extent = cut === null ? furtherExtent(extent, batch.extent) : claimed(extent, batch.extent);
    }
    const { value: broken } = next;
    if (broken === null) continue;
    for (const found of extentsAfter(bytes, broken.at)) extent = claimed(extent, found);
    cut ??= cutAt(wal, broken);
  }
  const path = (wal: number): string => join(dir, walName(wal));
  if (cut !== null) {
    const synced = cut.wal < extent.wal || (cut.wal === extent.wal && cut.size < extent.size);
    if (synced || !cut.torn) {
      const problem = synced
        ? `damage at byte ${cut.size}, before which and after which all was synced: ${cut.problem}`
        : `at byte ${cut.size}: ${cut.problem}, and that is not what a write leaves that was not finished`;
      throw new UnusableStoreError("damaged", path(cut.wal), problem);
    }
    const cutBytes = await cutOff(dir, cut, numbers, io);
    return { extent, cutBytes };
  }
  if (numbers.includes(extent.wal)) {
    const { length } = await readFile(path(extent.wal));
    if (length < extent.size) {
      const problem = `it has ${length} bytes, but ${extent.size} were synced`;
      throw new UnusableStoreError("damaged", path(extent.wal), problem);
    }
  }
  return { extent, cutBytes: 0 };
}

/**
 * What a batch tells that comes after a cut: how far the files were synced before it, but not how many batches the store holds. It counts itself, and
 * all those before it, which were perhaps never synced and are cut off with it.
 */
function claimed(extent: Extent, { wal, size }: Extent): Extent {
  return furtherExtent(extent, { batches: extent.batches, wal, size });
}

function cutAt(wal: number, { at, problem, torn }: WalBreak): Cut {
  return { wal, size: at, problem, torn };
}

/** Removes the later files first: whatever comes between, what is left has no hole. */
async function cutOff(
  dir: string,
  { wal, size }: Cut,
  numbers: readonly number[],
  io: StoreIo,
): Promise<number> {
  let cutBytes = 0;
  for (const number of numbers.filter((later) => later > wal).reverse()) {
    const path = join(dir, walName(number));
    cutBytes += (await readFile(path)).length;
    await io.unlink(path);
  }
  await io.syncDirectory(dir);
  const path = join(dir, walName(wal));
  cutBytes += (await readFile(path)).length - size;
  const fd = await io.open(path, "r+");
  try {
    await io.truncate(fd, size, path);
    await io.datasync(fd, path);
  } finally {
    await io.close(fd);
  }
  return cutBytes;
}
