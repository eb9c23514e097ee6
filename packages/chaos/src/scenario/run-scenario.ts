import type { SeededRandom } from "@seshat/raft/testing";
import { HistoryRecorder } from "@seshat/simulator";
import { ChaosFailure } from "../check/chaos-failure.js";
import type { RedisHistory } from "../check/check-history.js";
import { checkCopies, readAll } from "../check/check-copies.js";
import { checkHistory } from "../check/check-history.js";
import type { LoadCounts } from "../client/load.js";
import { Load } from "../client/load.js";
import type { Cluster } from "../cluster/cluster.js";
import type { Scenario } from "./scenario.js";
import { moreAcknowledged } from "./steps.js";

/** What a scenario came to. */
export interface ScenarioReport {
  readonly name: string;
  readonly notes: readonly string[];
  readonly leaderMs: readonly number[];
  /** How many terms later the leader of the end is. */
  readonly elections: number;
  readonly counts: LoadCounts;
  /** The longest that anything took to succeed. */
  readonly longestMs: number;
  readonly ms: number;
}

export interface ScenarioParts {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  /** Begins the names of its keys, which are no one else's. */
  readonly prefix: string;
}

/** Load, what the scenario does to the cluster, and the checks. @throws {ChaosFailure} when one of them fails. */
export async function runScenario(
  scenario: Scenario,
  { cluster, random, prefix }: ScenarioParts,
): Promise<ScenarioReport> {
  const startedAt = performance.now();
  const recorder: RedisHistory = new HistoryRecorder();
  const { clients = 3, keys: count = 3, pauseMs = 20, pipeline = 2 } = scenario.load ?? {};
  const keys = Array.from({ length: count }, (_, key) => `${prefix}:${key}`);
  const load = new Load(cluster, { recorder, random: random.fork(), clients, keys, pauseMs, pipeline });
  const leaderMs: number[] = [];
  const notes: string[] = [];
  try {
    await moreAcknowledged(load, 10);
    const before = await cluster.newLeader();
    const note = (text: string): void => void notes.push(text);
    await scenario.run({ cluster, load, random, recorder, prefix, leaderMs, note });
    await cluster.network.mend();
    await moreAcknowledged(load);
    await load.stop();
    await cluster.caughtUp();
    const after = await cluster.newLeader();
    for (const id of cluster.members) await readAll(cluster, id, keys, recorder);
    await checkCopies(cluster, keys);
    checkHistory(recorder);
    const { counts, longestMs } = load;
    if (scenario.everythingSucceeds === true && counts.givenUp > 0) {
      throw new ChaosFailure(
        "everything succeeds",
        `${counts.givenUp} commands did not, however often they were tried`,
      );
    }
    const elections = after.term - before.term;
    const ms = performance.now() - startedAt;
    return { name: scenario.name, notes, leaderMs, elections, counts, longestMs, ms };
  } finally {
    await load.stop();
  }
}
