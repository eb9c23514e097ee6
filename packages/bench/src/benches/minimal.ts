import type { Bench, BenchResult, BenchSettings } from "../bench.js";
import type { BenchClusterOptions } from "../cluster/bench-cluster.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import { interleave } from "../load/interleave.js";
import { promiseLimit } from "../load/promise-limit.js";
import { text } from "../statistics/cells.js";
import { SHARE_COLUMNS, SHARE_COMPARED, shareFigures } from "../statistics/figures.js";

/** Limit, Raft, limit, Raft ..., on a cluster with empty commands; all writes are verified at the end. */
async function measureEmptyWrites(
  clients: number,
  settings: BenchSettings,
  options: Omit<BenchClusterOptions<EmptyConfig>, "makeStorage">,
): Promise<BenchResult> {
  await using cluster = await BenchCluster.start<EmptyConfig>({ ...options, makeStorage: emptyStorage });
  const loops = [promiseLimit(clients), cluster.writers(clients, () => null)];
  const [limit = [], raft = []] = await interleave(
    loops,
    settings,
    `${options.nodes} nodes, ${clients} clients`,
  );
  const verified = await cluster.verify();
  return { nodes: options.nodes, clients, ...shareFigures(limit, raft), ...verified };
}

const COLUMNS = [text("nodes", "nodes"), text("clients", "clients"), ...SHARE_COLUMNS];

/** What Raft itself costs. */
export const minimal: Bench = {
  name: "minimal",
  about: "puts/s of three nodes, empty commands and responses, as a share of the promise limit",
  keys: ["nodes", "clients"],
  compared: SHARE_COMPARED,
  columns: COLUMNS,
  async *run(settings) {
    for (const clients of settings.clients ?? [1, 64, 256, 1024, 4096])
      yield { bench: "minimal", ...(await measureEmptyWrites(clients, settings, { nodes: 3 })) };
  },
};

/** What each further node costs: all of them share one processor here. */
export const nodes: Bench = {
  name: "nodes",
  about: "the same with 1, 3, 5 and 7 nodes",
  keys: ["nodes", "clients"],
  compared: SHARE_COMPARED,
  columns: COLUMNS,
  async *run(settings) {
    for (const count of [1, 3, 5, 7]) {
      for (const clients of settings.clients ?? [1, 256, 1024])
        yield { bench: "nodes", ...(await measureEmptyWrites(clients, settings, { nodes: count })) };
    }
  },
};
