import type { LogId } from "@seshat/common";
import type { ReadPolicy } from "@seshat/raft";
import type { Bench } from "../bench.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import { VerificationError } from "../cluster/tally.js";
import { closedLoop, runClosedLoop } from "../load/closed-loop.js";
import { interleave } from "../load/interleave.js";
import { promiseLimit } from "../load/promise-limit.js";
import { count, text } from "../statistics/cells.js";
import { SHARE_COLUMNS, shareFigures } from "../statistics/figures.js";

const POLICIES: readonly ReadPolicy[] = ["readIndex", "lease"];

/** Reads that see every write answered before. */
export const reads: Bench = {
  name: "reads",
  about: "linearizable reads/s on the leader of three, by ReadIndex and by lease",
  keys: ["policy", "clients"],
  compared: ["readsPerSec", "shareOfLimit", "p99Us"],
  columns: [
    text("policy", "policy"),
    text("clients", "clients"),
    count("reads/s", "readsPerSec"),
    ...SHARE_COLUMNS.filter(({ title }) => title !== "puts/s").map((column) =>
      column.title === "CPU us/put" ? { ...column, title: "CPU us/read" } : column,
    ),
  ],
  async *run(settings) {
    for (const policy of POLICIES) {
      for (const clients of settings.clients ?? [1, 64, 256, 1024]) {
        await using cluster = await BenchCluster.start<EmptyConfig>({
          nodes: 3,
          makeStorage: emptyStorage,
          config: { leaderLease: true },
        });
        await runClosedLoop(
          cluster.writers(1, () => null),
          { seconds: 1, operations: 100 },
        );
        const written = cluster.leader.metrics().committed.index;
        const readers = closedLoop(
          clients,
          () => cluster.leader.ensureLinearizable({ policy }),
          ({ index }: LogId) => {
            if (index < written) throw new VerificationError(`a read saw entry ${index}, and not ${written}`);
          },
        );
        const loops = [promiseLimit(clients), readers];
        const [limit = [], raft = []] = await interleave(loops, settings, `${policy}, ${clients} clients`);
        const verified = await cluster.verify();
        const { putsPerSec = null, cpuUsPerPut = null, ...figures } = shareFigures(limit, raft);
        yield {
          bench: "reads",
          nodes: 3,
          policy,
          clients,
          readsPerSec: putsPerSec,
          cpuUsPerPut,
          ...figures,
          ...verified,
        };
      }
    }
  },
};
