import { ChaosFailure } from "../check/chaos-failure.js";
import { PATIENCE_MS } from "../cluster/cluster.js";
import { retry } from "../cluster/sleep.js";
import type { Scenario } from "./scenario.js";
import { moreAcknowledged, roles } from "./steps.js";

export const compaction: Scenario = {
  name: "compaction-under-load",
  what: "snapshots are taken and the log behind them is purged, past a follower that is down and comes back",
  load: { clients: 3, keys: 8, pauseMs: 0, pipeline: 4 },
  async run(scene) {
    const { cluster, load } = scene;
    const { leader, others } = await roles(scene);
    const away = others[0] as number;
    const before = snapshotIndex((await cluster.status(leader.id))?.snapshot);
    const last = (await cluster.status(away))?.appliedIndex ?? 0;
    await cluster.kill(away);
    await retry(
      async () => {
        const status = await cluster.leader();
        const index = snapshotIndex(status?.snapshot);
        // More than is kept behind a snapshot.
        return index > before && index > last + 100 ? true : null;
      },
      PATIENCE_MS,
      () => new ChaosFailure("compaction", "no snapshot was taken"),
    );
    await cluster.start(away);
    await cluster.inStep(away);
    await moreAcknowledged(load);
  },
};

export const rollingRestart: Scenario = {
  name: "rolling-restart",
  what: "one node after the other is shut down and started again",
  everythingSucceeds: true,
  async run({ cluster, load }) {
    for (const id of cluster.members) {
      await cluster.stop(id);
      await moreAcknowledged(load, 10);
      await cluster.start(id);
      await moreAcknowledged(load, 10);
      await cluster.inStep(id);
    }
  },
};

export const replaceNodes: Scenario = {
  name: "replace-nodes",
  what: "one node after the other is replaced by a new one, until none of the old is left",
  everythingSucceeds: true,
  async run({ cluster, load }) {
    const old = [...cluster.members];
    let fresh = Math.max(...old);
    for (const id of old) {
      await cluster.join((fresh += 1));
      await moreAcknowledged(load, 10);
      await cluster.leave(id);
      await moreAcknowledged(load, 10);
    }
  },
};

/** The index of a log id as it is shown, e.g. `2-1043`. */
function snapshotIndex(logId: string | undefined): number {
  return Number(logId?.split("-")[1] ?? 0);
}
