import { fileURLToPath } from "node:url";
import type { Bench } from "../bench.js";
import { runChild } from "../compare/run-child.js";
import { count, micros, text } from "../statistics/cells.js";
import { rounded } from "../statistics/figures.js";
import { median } from "../statistics/summary.js";

const CHILD = fileURLToPath(new URL("memory-child.js", import.meta.url));
const ENTRIES = [1_000_000, 10_000_000];
const PAYLOAD_BYTES = 100;
/** Of the heap, in MiB: enough for the most entries, however they are kept. */
const HEAP_LIMIT = 12_000;

interface Measured {
  readonly bytesPerEntry: number;
  readonly gcMs: number;
  readonly emptyGcMs: number;
  readonly appendsPerSec: number;
  readonly purgeMs: number;
}

/** What a long log costs while it is only kept. */
export const memory: Bench = {
  name: "memory",
  about:
    "bytes an entry and the full collection of garbage, for 1 and 10 million entries of 100 B in the in-memory log",
  keys: ["entries"],
  compared: ["bytesPerEntry", "gcMs", "appendsPerSec"],
  columns: [
    count("entries", "entries"),
    text("payload B", "payloadBytes"),
    micros("B/entry", "bytesPerEntry"),
    micros("full GC ms", "gcMs"),
    micros("GC ms, empty", "emptyGcMs"),
    count("appends/s", "appendsPerSec"),
    micros("purge of all ms", "purgeMs"),
  ],
  async *run({ rounds, scale, progress }) {
    for (const full of ENTRIES) {
      const entries = Math.ceil(full * scale);
      const measured: Measured[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        progress(`${entries} entries, process ${round} of ${rounds}`);
        const output = await runChild(process.execPath, [
          ...process.execArgv,
          "--expose-gc",
          `--max-old-space-size=${HEAP_LIMIT}`,
          CHILD,
          String(entries),
          String(PAYLOAD_BYTES),
        ]);
        measured.push(JSON.parse(output) as Measured);
      }
      yield {
        bench: "memory",
        entries,
        payloadBytes: PAYLOAD_BYTES,
        bytesPerEntry: rounded(median(measured.map(({ bytesPerEntry }) => bytesPerEntry))),
        gcMs: rounded(median(measured.map(({ gcMs }) => gcMs))),
        emptyGcMs: rounded(median(measured.map(({ emptyGcMs }) => emptyGcMs))),
        appendsPerSec: Math.round(median(measured.map(({ appendsPerSec }) => appendsPerSec))),
        purgeMs: rounded(median(measured.map(({ purgeMs }) => purgeMs))),
        rounds,
        verified: true,
      };
    }
  },
};
