import type { Cluster, RedisHistory } from "@seshat/chaos";
import { Load, checkCopies, checkHistory, moreAcknowledged, readAll, sleep } from "@seshat/chaos";
import type { SeededRandom } from "@seshat/raft/testing";
import { HistoryRecorder } from "@seshat/simulator";
import { RoundFailure } from "../cluster/round-failure.js";
import { crashAll } from "../round/crash.js";
import { drawPlan } from "../round/plan.js";
import type { RoundReport } from "../round/round.js";
import { drawOperations, keysOfRound } from "./draw-operation.js";

const CLIENTS = 6;
const PIPELINE = 3;
/** Up to so long a client pauses between two pipelines, in milliseconds: long histories take long to check. */
const PAUSE_MS = 20;

export interface ServerRoundParts {
  readonly cluster: Cluster;
  readonly round: number;
  readonly random: SeededRandom;
  /** What the keys of earlier rounds came to; those of this one are added. */
  readonly kept: Map<string, string | null>;
}

/** One round of `seshat` itself: load of Redis clients, kills, restarts, and the checks. @throws {ChaosFailure} @throws {RoundFailure} */
export async function runServerRound({
  cluster,
  round,
  random,
  kept,
}: ServerRoundParts): Promise<RoundReport> {
  const startedAt = performance.now();
  const plan = drawPlan(random);
  const recorder: RedisHistory = new HistoryRecorder();
  const all = keysOfRound(round);
  const keys = [...all.strings, ...all.counters];
  const load = new Load(cluster, {
    recorder,
    random: random.fork(),
    clients: CLIENTS,
    keys,
    pauseMs: PAUSE_MS,
    pipeline: PIPELINE,
    draw: drawOperations(round, all),
  });
  try {
    await sleep(plan.loadMs);
    const { id: leader } = await cluster.newLeader();
    const nodes = {
      kill: (id: number) => cluster.kill(id),
      start: (id: number) => cluster.start(id),
      isRunning: (id: number) => cluster.running.includes(id),
    };
    const kills = await crashAll(nodes, plan, leader, cluster.members);
    await moreAcknowledged(load);
    await load.stop();
    await cluster.caughtUp();
    for (const id of cluster.members) await readAll(cluster, id, keys, recorder);
    await checkCopies(cluster, keys);
    checkHistory(recorder);
    await checkKept(cluster, kept, leader);
    for (const key of keys) kept.set(key, await cluster.answer(leader, "GET", key));
    const { acknowledged, unknown, refused, reads } = load.counts;
    return {
      kind: plan.kind,
      ...kills,
      acknowledged,
      unknown,
      refused,
      reads,
      ms: performance.now() - startedAt,
    };
  } finally {
    await load.stop();
  }
}

/** What earlier rounds left is still what it was. */
async function checkKept(
  cluster: Cluster,
  kept: ReadonlyMap<string, string | null>,
  id: number,
): Promise<void> {
  for (const [key, value] of kept) {
    const found = await cluster.answer(id, "GET", key);
    if (found === value) continue;
    const [was, is] = [value, found].map((each) => JSON.stringify(each).slice(0, 200));
    throw new RoundFailure("kept", `${key} was ${was} at the end of its round, and is ${is} by now`);
  }
}
