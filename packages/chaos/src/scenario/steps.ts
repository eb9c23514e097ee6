import { ChaosFailure } from "../check/chaos-failure.js";
import type { Load } from "../client/load.js";
import type { NodeStatus } from "../cluster/cluster.js";
import { PATIENCE_MS } from "../cluster/cluster.js";
import { retry } from "../cluster/sleep.js";
import type { Scene } from "./scenario.js";

/** Waits until so many more writes were acknowledged. */
export async function moreAcknowledged(load: Load, writes = 20): Promise<void> {
  const enough = load.counts.acknowledged + writes;
  await retry(
    async () => (load.counts.acknowledged >= enough ? true : null),
    PATIENCE_MS,
    () => new ChaosFailure("serves again", `too few writes were acknowledged in ${PATIENCE_MS / 1000} s`),
  );
}

/** Waits until so much more did not succeed. */
export async function moreFailed(load: Load, times = 5): Promise<void> {
  const failed = (): number => load.counts.unknown + load.counts.refused + load.counts.failedReads;
  const enough = failed() + times;
  await retry(
    async () => (failed() >= enough ? true : null),
    PATIENCE_MS,
    () => new ChaosFailure("refuses", "everything succeeds although it must not"),
  );
}

/** The leader, and the others in an order that is drawn. */
export async function roles({
  cluster,
  random,
}: Scene): Promise<{ readonly leader: NodeStatus; readonly others: readonly number[] }> {
  const leader = await cluster.newLeader();
  const others = cluster.members.filter((id) => id !== leader.id);
  return { leader, others: random.chance(0.5) ? others : others.toReversed() };
}

/** Does what makes a leader go, or lets one be elected, and measures how long it takes until there is another. */
export async function untilNewLeader(
  { cluster, leaderMs }: Scene,
  since: number,
  act: () => Promise<unknown> = () => Promise.resolve(),
): Promise<NodeStatus> {
  const startedAt = performance.now();
  await act();
  const leader = await cluster.newLeader(since);
  leaderMs.push(performance.now() - startedAt);
  return leader;
}
