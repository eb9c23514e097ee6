/** A process behind `long-log`: a cluster that has written much, keeps some of it, and takes rounds when it is told to. */
import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import { runClosedLoop } from "../load/closed-loop.js";
import { promiseLimit } from "../load/promise-limit.js";
import type { LongLogAnswer, LongLogOrder } from "./long-log-messages.js";

const FILL_BATCH = 256;
const FILL_CLIENTS = 4;

const [keep = 0, written = 0, clients = 0] = process.argv.slice(2).map(Number);

await using cluster = await BenchCluster.start<EmptyConfig>({
  nodes: 3,
  makeStorage: emptyStorage,
  // Snapshots are as frequent for both lengths; what differs is what is kept behind them.
  config: { maxInSnapshotLogToKeep: keep },
});
const writers = cluster.writers(clients, () => null);
const limit = promiseLimit(clients);
const say = (answer: LongLogAnswer): void => {
  process.send?.(answer);
};

/** One order after another: the parent waits for each answer. */
async function obey(order: LongLogOrder): Promise<void> {
  if (order.type === "round") {
    const { seconds } = order;
    say({
      type: "round",
      limit: await runClosedLoop(limit, { seconds }),
      raft: await runClosedLoop(writers, { seconds }),
    });
    return;
  }
  await cluster.verify();
  const { lastLogId, purged } = cluster.leader.metrics();
  say({ type: "verified", kept: lastLogId.index - purged.index });
  process.disconnect();
}

await runClosedLoop(cluster.batchWriters(FILL_CLIENTS, new Array<null>(FILL_BATCH).fill(null)), {
  seconds: Number.POSITIVE_INFINITY,
  operations: Math.ceil(written / FILL_BATCH),
});
const disconnected = new Promise((resolve) => process.once("disconnect", resolve));
process.on("message", (order: LongLogOrder) => {
  obey(order).catch((thrown: unknown) => {
    say({ type: "failed", message: thrown instanceof Error ? thrown.message : String(thrown) });
    process.disconnect();
  });
});
say({ type: "ready" });
await disconnected;
