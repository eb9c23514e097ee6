import type { Bench } from "../bench.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import { interleave } from "../load/interleave.js";
import { promiseLimit } from "../load/promise-limit.js";
import { count, text } from "../statistics/cells.js";
import { SHARE_COLUMNS, SHARE_COMPARED, shareFigures } from "../statistics/figures.js";

/** Several writes in one call: what a promise for each write would cost is saved. */
export const many: Bench = {
  name: "many",
  about: "clientWriteMany with 4 and 64 writes a call; the limit counts a promise for each call",
  keys: ["batch", "clients"],
  compared: [...SHARE_COMPARED, "writesPerSec"],
  columns: [
    text("writes a call", "batch"),
    text("clients", "clients"),
    count("writes/s", "writesPerSec"),
    ...SHARE_COLUMNS.map((column) => (column.title === "puts/s" ? { ...column, title: "calls/s" } : column)),
  ],
  async *run(settings) {
    for (const batch of [4, 64]) {
      for (const clients of settings.clients ?? [1, 64, 256]) {
        await using cluster = await BenchCluster.start<EmptyConfig>({
          nodes: 3,
          makeStorage: emptyStorage,
          config: {
            maxPendingRequests: 2 * batch * clients + 16_384,
            maxUncommittedEntries: 2 * batch * clients + 65_536,
          },
        });
        const commands = new Array<null>(batch).fill(null);
        const loops = [promiseLimit(clients), cluster.batchWriters(clients, commands)];
        const [limit = [], raft = []] = await interleave(
          loops,
          settings,
          `${batch} writes a call, ${clients} clients`,
        );
        const verified = await cluster.verify();
        const figures = shareFigures(limit, raft);
        const writesPerSec = Number(figures["putsPerSec"]) * batch;
        yield { bench: "many", nodes: 3, batch, clients, writesPerSec, ...figures, ...verified };
      }
    }
  },
};
