/** The process behind `memory`: fills a log, and says what it takes. One process for each measurement, so that nothing else is in it. */
import type { BytesTypeConfig, LogEntry, Request } from "@seshat/common";
import type { StateMachine } from "@seshat/storage";
import { OpenRaftMemStorage } from "@seshat/storage";
import { VerificationError } from "../cluster/tally.js";
import { median } from "../statistics/summary.js";

const BATCH = 64;
const COLLECTIONS = 5;

const [entriesText = "", bytesText = ""] = process.argv.slice(2);
const [entries, bytes] = [Number(entriesText), Number(bytesText)];

const noStateMachine: StateMachine<Request, never> = {
  apply: () => {
    throw new VerificationError("nothing is applied here");
  },
  capture: () => ({ chunks: () => [] }),
  restore: () => {},
};

function collect(): number {
  if (globalThis.gc === undefined) throw new Error("run it with --expose-gc");
  const before = performance.now();
  globalThis.gc();
  return performance.now() - before;
}

/** Resident bytes after everything that can be freed was. */
function resident(): number {
  for (let i = 0; i < 3; i += 1) collect();
  return process.memoryUsage.rss();
}

function makeEntry(index: number): LogEntry<Request> {
  const data = new Uint8Array(bytes);
  new DataView(data.buffer).setFloat64(0, index);
  return { logId: { term: 1, index }, payload: { type: "normal", data: { data } } };
}

function fill(storage: OpenRaftMemStorage<BytesTypeConfig>): void {
  for (let index = 1; index <= entries; index += BATCH) {
    const length = Math.min(BATCH, entries - index + 1);
    storage.append(
      Array.from({ length }, (_, i) => makeEntry(index + i)),
      () => {},
    );
  }
}

function verify(storage: OpenRaftMemStorage<BytesTypeConfig>): void {
  if (storage.log.length !== entries)
    throw new VerificationError(`the log holds ${storage.log.length} entries`);
  for (let index = 1; index <= entries; index += 1 + Math.floor(entries / 1000)) {
    const [entry] = storage.readEntries(index, index);
    const { payload } = entry as LogEntry<Request>;
    const data = payload.type === "normal" ? payload.data.data : new Uint8Array(8);
    const read = new DataView(data.buffer, data.byteOffset).getFloat64(0);
    if (read !== index || data.length !== bytes)
      throw new VerificationError(`entry ${index} came back as ${read}`);
  }
}

const warmUp = new OpenRaftMemStorage<BytesTypeConfig>(noStateMachine);
for (let index = 1; index <= 10 * BATCH; index += 1) warmUp.append([makeEntry(index)], () => {});

const emptyBytes = resident();
const emptyGcMs = median(Array.from({ length: COLLECTIONS }, collect));
const storage = new OpenRaftMemStorage<BytesTypeConfig>(noStateMachine);
const startedAt = performance.now();
fill(storage);
const fillMs = performance.now() - startedAt;
const filledBytes = resident();
const gcMs = median(Array.from({ length: COLLECTIONS }, collect));
verify(storage);
const purgeStart = performance.now();
storage.purge({ term: 1, index: entries });
const purgeMs = performance.now() - purgeStart;
process.stdout.write(
  `${JSON.stringify({
    bytesPerEntry: (filledBytes - emptyBytes) / entries,
    gcMs,
    emptyGcMs,
    appendsPerSec: (entries / fillMs) * 1000,
    purgeMs,
  })}\n`,
);
