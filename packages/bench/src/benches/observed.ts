import type { Span, Tracer } from "@seshat/common";
import type { Bench } from "../bench.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import { VerificationError } from "../cluster/tally.js";
import { interleave } from "../load/interleave.js";
import { promiseLimit } from "../load/promise-limit.js";
import { count, percent, ratio, text } from "../statistics/cells.js";
import { ratios, rounded, roundFigures, shareFigures } from "../statistics/figures.js";
import { summarize } from "../statistics/summary.js";

/** Counts spans: what a tracer costs at least. */
class CountingTracer implements Tracer {
  started = 0;
  ended = 0;
  readonly #span: Span = {
    setAttribute: () => {},
    recordException: () => {},
    end: () => {
      this.ended += 1;
    },
  };

  startSpan(): Span {
    this.started += 1;
    return this.#span;
  }
}

/** What it costs to be looked at. */
export const observed: Bench = {
  name: "observed",
  about: "minimal once more, with tracing spans and with the metrics of every node watched",
  keys: ["clients"],
  compared: ["putsPerSec", "shareOfLimit", "ratio"],
  columns: [
    text("clients", "clients"),
    count("puts/s", "putsPerSec"),
    percent("of limit", "shareOfLimit"),
    count("unobserved/s", "unobservedPerSec"),
    ratio("observed : not", "ratio"),
    ratio("least", "ratioMin"),
    ratio("most", "ratioMax"),
    count("spans", "spans"),
    count("changes seen", "changes"),
  ],
  async *run(settings) {
    for (const clients of settings.clients ?? [1, 64, 256, 1024]) {
      const tracer = new CountingTracer();
      await using plain = await BenchCluster.start<EmptyConfig>({ nodes: 3, makeStorage: emptyStorage });
      await using watched = await BenchCluster.start<EmptyConfig>({
        nodes: 3,
        makeStorage: emptyStorage,
        tracer,
      });
      let changes = 0;
      const watchers = watched.nodes.map((raft) => raft.changes(({ committed }) => committed.index));
      const watching = watchers.map(async (watcher) => {
        for await (const _ of watcher) changes += 1;
      });
      const loops = [
        promiseLimit(clients),
        plain.writers(clients, () => null),
        watched.writers(clients, () => null),
      ];
      const [limit = [], unobserved = [], rounds = []] = await interleave(
        loops,
        settings,
        `${clients} clients`,
      );
      const [, verified] = await Promise.all([plain.verify(), watched.verify()]);
      await Promise.all(watchers.map((watcher) => watcher.return()));
      await Promise.all(watching);
      if (tracer.started === 0 || changes === 0) throw new VerificationError("nothing was observed");
      const ratioOf = summarize(ratios(rounds, unobserved, ({ perSecond }) => perSecond));
      yield {
        bench: "observed",
        nodes: 3,
        clients,
        ...shareFigures(limit, rounds),
        unobservedPerSec: roundFigures(unobserved).perSec,
        ratio: rounded(ratioOf.median),
        ratioMin: rounded(ratioOf.min),
        ratioMax: rounded(ratioOf.max),
        spans: tracer.started,
        changes,
        ...verified,
      };
    }
  },
};
