import { UnusableStoreError } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";
import type { JournalReport } from "../journal/inspect-journal.js";
import { inspectJournal, recordsToRedo } from "../journal/inspect-journal.js";
import { Journal } from "../journal/journal.js";
import type { Fill } from "../journal/operations.js";
import { doOperations } from "../journal/operations.js";
import { removeSegments } from "../journal/segment.js";
import { BatchWriter } from "../lane/batch-writer.js";
import { putNumber } from "../lane/tables.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import { storedNumber } from "./database.js";

/** What goes into the database at a time. */
const BATCH_BYTES = 1_048_576;

export interface RecoverySettings {
  readonly io: StoreIo;
  /** About how much a segment of the journal holds. */
  readonly journalBytes: number;
  readonly stallMs: number;
}

export interface Recovered {
  /** Empty. */
  readonly journal: Journal;
  /** The number of the last record, which the database has in its tables. */
  readonly number: number;
  readonly cutBytes: number;
}

/**
 * Brings into the database what the journal has and the database lacks, and begins an empty journal.
 *
 * A crash at any moment leaves a store that recovers to the same: what stands in the journal goes when the database has it in tables, and nothing
 * new is written before all of that is gone for good.
 *
 * @param known the last record that was durable, as the marker tells.
 * @throws {UnusableStoreError} when something that was durable is missing or damaged: nothing was changed then.
 */
export async function recover(
  database: RocksDatabase,
  dir: string,
  known: number,
  { io, journalBytes, stallMs }: RecoverySettings,
): Promise<Recovered> {
  const stored = await storedNumber(database);
  const report = await inspectJournal(dir, known, stored);
  await redo(database, dir, report, stored, stallMs);
  await database.flush();
  await removeSegments(dir, io);
  const sequence = (report.sequences.at(-1) ?? 0) + 1;
  const journal = await Journal.begin(dir, sequence, journalBytes, io);
  return { journal, number: report.last, cutBytes: report.cutBytes };
}

async function redo(
  database: RocksDatabase,
  dir: string,
  report: JournalReport,
  stored: number,
  stallMs: number,
): Promise<void> {
  const writer = new BatchWriter(database, stallMs);
  let fills: Fill[] = [];
  let bytes = 0;
  let last = stored;
  const write = async (): Promise<void> => {
    await writer.write([...fills, putNumber(last)]);
    fills = [];
    bytes = 0;
  };
  try {
    for await (const { number, operations } of recordsToRedo(dir, report, stored)) {
      fills.push((batch) => doOperations(operations, batch));
      bytes += operations.length;
      last = number;
      if (bytes >= BATCH_BYTES) await write();
    }
    if (fills.length > 0) await write();
  } finally {
    writer.stop();
  }
  if (last !== report.last) {
    const problem = `it had records up to ${report.last}, and has them up to ${last} now`;
    throw new UnusableStoreError("damaged", dir, problem);
  }
}
