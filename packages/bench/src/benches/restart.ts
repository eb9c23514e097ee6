import type { Bench } from "../bench.js";
import { count, micros, percent, text } from "../statistics/cells.js";

/** What is on disk has to be in memory again. */
export const restart: Bench = {
  name: "restart",
  about: "entries/s that a durable node reads back and applies again when it starts, no snapshot taken",
  notes: [
    "What is replayed was gone through twice: once by the search for memberships, which decodes nothing else, once to be applied.",
  ],
  keys: ["clients"],
  compared: ["readPerSec", "readCpuUs", "replayPerSec", "replayCpuUs"],
  columns: [
    text("clients", "clients"),
    count("entries", "entries"),
    count("read/s", "readPerSec"),
    micros("CPU us/entry", "readCpuUs"),
    count("replayed/s", "replayPerSec"),
    micros("CPU us/entry", "replayCpuUs"),
    percent("spread", "spread"),
    text("rounds", "rounds"),
  ],
  async *run(settings) {
    // Only now: other benchmarks also measure checkouts that have no store on disk.
    const { measureRestart } = await import("./restart-measure.js");
    for (const clients of settings.clients ?? [1, 64, 256]) yield await measureRestart(clients, settings);
  },
};
