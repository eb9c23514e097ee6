import type { SeededRandom } from "@seshat/raft/testing";
import { HistoryRecorder } from "@seshat/simulator";
import { ChaosFailure } from "../check/chaos-failure.js";
import type { RedisHistory } from "../check/check-history.js";
import { checkHistory } from "../check/check-history.js";
import type { LoadCounts } from "../client/load.js";
import { Load } from "../client/load.js";
import type { Cluster } from "../cluster/cluster.js";
import { PATIENCE_MS } from "../cluster/cluster.js";
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

/** What each node says in the end is part of the history. */
async function readAll(
  cluster: Cluster,
  id: number,
  keys: readonly string[],
  recorder: RedisHistory,
): Promise<void> {
  for (const key of keys) {
    const open = recorder.invoke(`node ${id}`, { key, f: "get" });
    open.ok(await cluster.answer(id, "GET", key));
  }
}

/** What the nodes have themselves, without asking the leader, is the same. */
async function checkCopies(cluster: Cluster, keys: readonly string[]): Promise<void> {
  const copies = await Promise.all(
    cluster.members.map(async (id) => {
      const connection = await cluster.connect(id, PATIENCE_MS);
      if (connection === null) throw new ChaosFailure("answers", `node ${id} cannot be reached`);
      try {
        await connection.call("READONLY");
        const values = await Promise.all(keys.map((key) => connection.call("GET", key)));
        return { id, values };
      } finally {
        connection.close();
      }
    }),
  );
  const [first, ...others] = copies as [(typeof copies)[0], ...typeof copies];
  for (const { id, values } of others) {
    const at = values.findIndex((value, index) => value !== first.values[index]);
    if (at === -1) continue;
    const [a, b] = [first.values[at], values[at]].map((value) => JSON.stringify(value)?.slice(0, 200));
    throw new ChaosFailure(
      "same on all nodes",
      `${keys[at]}: node ${first.id} has ${a}, and node ${id} ${b}`,
    );
  }
}
