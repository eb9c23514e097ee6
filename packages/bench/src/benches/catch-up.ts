import { until } from "@seshat/raft";
import type { Bench } from "../bench.js";
import type { Verified } from "../cluster/bench-cluster.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import { runClosedLoop } from "../load/closed-loop.js";
import { count, micros, percent, text } from "../statistics/cells.js";
import { rounded } from "../statistics/figures.js";
import { median, summarize } from "../statistics/summary.js";

const ENTRIES = 1_000_000;
const BATCH = 256;
const PATIENCE_MS = 300_000;

/** A follower that was away gets the entries that it missed. */
export const catchUp: Bench = {
  name: "catch-up",
  about: "entries/s of a follower that has 1,000,000 entries to catch up, none of them in a snapshot",
  keys: ["entries"],
  compared: ["entriesPerSec", "cpuUsPerEntry"],
  columns: [
    count("entries", "entries"),
    count("entries/s", "entriesPerSec"),
    micros("seconds", "seconds"),
    micros("CPU us/entry", "cpuUsPerEntry"),
    percent("spread", "spread"),
    text("rounds", "rounds"),
  ],
  async *run({ rounds, scale, progress }) {
    const entries = Math.ceil((ENTRIES * scale) / BATCH) * BATCH;
    const seconds: number[] = [];
    const cpuUs: number[] = [];
    let verified: Verified | null = null;
    for (let round = 1; round <= rounds; round += 1) {
      await using cluster = await BenchCluster.start<EmptyConfig>({
        nodes: 3,
        makeStorage: emptyStorage,
        config: { snapshotPolicy: { type: "never" } },
      });
      progress(`round ${round} of ${rounds}, writing without the follower`);
      cluster.cutOff(3);
      // The last calls of several writers may go past the number that is asked for, so there is one.
      await runClosedLoop(cluster.batchWriters(1, new Array<null>(BATCH).fill(null)), {
        seconds: Number.POSITIVE_INFINITY,
        operations: entries / BATCH,
      });
      progress(`round ${round} of ${rounds}, catching up`);
      const { index } = cluster.leader.metrics().lastLogId;
      const cpuBefore = process.cpuUsage();
      const startedAt = performance.now();
      cluster.reconnect(3);
      await cluster.nodes[2]?.wait(until.applied(index), PATIENCE_MS);
      seconds.push((performance.now() - startedAt) / 1000);
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuUs.push((user + system) / entries);
      verified = await cluster.verify();
    }
    const took = summarize(seconds);
    yield {
      bench: "catch-up",
      entries,
      entriesPerSec: Math.round(entries / took.median),
      seconds: rounded(took.median),
      cpuUsPerEntry: rounded(median(cpuUs)),
      spread: rounded(took.spread),
      rounds,
      ...verified,
    };
  },
};
