import { retry, sleep } from "@seshat/chaos";
import type { SeededRandom } from "@seshat/raft/testing";
import type { RedisStringInput, RedisStringReply } from "@seshat/simulator";
import {
  HistoryRecorder,
  checkLinearizability,
  linearizabilityReport,
  redisStringModel,
} from "@seshat/simulator";
import type { Cluster } from "../cluster/cluster.js";
import { NODE_IDS } from "../cluster/cluster.js";
import { CallError } from "../cluster/node-process.js";
import { RoundFailure } from "../cluster/round-failure.js";
import { Load } from "../load/clients.js";
import type { RoundSum } from "../machine/journal-machine.js";
import { keyOf } from "../machine/journal-machine.js";
import { checkJournals, checkSums } from "./check-journals.js";
import type { Kills } from "./crash.js";
import { crashAll } from "./crash.js";
import type { KillKind } from "./plan.js";
import { drawPlan } from "./plan.js";

/** How long a cluster may take to serve again once all its processes run: far more than it needs. */
const RECOVERY_MS = 60_000;
const CLIENTS = 8;
const KEYS = 6;
/** Writes that have to be acknowledged after everything that was killed runs again. */
const WRITES_AFTER = 20;

/** What a round came to. */
export interface RoundReport extends Kills {
  readonly kind: KillKind;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  readonly reads: number;
  readonly ms: number;
}

export interface RoundParts {
  readonly cluster: Cluster;
  readonly round: number;
  readonly random: SeededRandom;
  readonly nextId: () => number;
  /** Of the rounds before; this one is added. */
  readonly sums: Map<number, RoundSum>;
}

/** One round: load, kills, restarts, and the checks. @throws {RoundFailure} when one of them fails. */
export async function runRound({ cluster, round, random, nextId, sums }: RoundParts): Promise<RoundReport> {
  const startedAt = performance.now();
  const plan = drawPlan(random);
  const recorder = new HistoryRecorder<RedisStringInput, RedisStringReply>();
  const settings = { round, clients: CLIENTS, keys: KEYS };
  const load = new Load(cluster, recorder, settings, random, nextId);
  await sleep(plan.loadMs);
  const leader = await retry(
    () => cluster.leader(),
    RECOVERY_MS,
    () => late("leader", "nobody leads"),
  );
  const nodes = {
    kill: (id: number) => cluster.node(id).kill(),
    start: (id: number) => cluster.start(id),
    isRunning: (id: number) => !cluster.node(id).isGone,
  };
  const kills = await crashAll(nodes, plan, leader, NODE_IDS);
  const enough = load.acknowledged + WRITES_AFTER;
  await retry(
    async () => (load.acknowledged >= enough ? true : null),
    RECOVERY_MS,
    () => late("serves again", `only ${load.acknowledged - enough + WRITES_AFTER} writes were acknowledged`),
  );
  await within(load.stop(), "answers", "clients still wait for an answer");

  await Promise.all(NODE_IDS.map((id) => readAll(cluster, id, round, recorder)));
  const index = await endRound(cluster, round);
  const journals = await Promise.all(
    NODE_IDS.map(async (id) => ({ id, ...(await cluster.node(id).call("journal", { round, index })) })),
  );
  sums.set(round, checkJournals(round, journals, load.outcomes));
  checkSums(journals, sums);
  checkHistory(recorder);

  const statuses = [...load.outcomes.values()].map(({ status }) => status);
  const count = (wanted: string): number => statuses.filter((status) => status === wanted).length;
  return {
    kind: plan.kind,
    ...kills,
    acknowledged: load.acknowledged,
    unknown: count("unknown"),
    refused: count("refused"),
    reads: load.reads,
    ms: performance.now() - startedAt,
  };
}

/** What each node says in the end is part of the history. */
async function readAll(
  cluster: Cluster,
  id: number,
  round: number,
  recorder: HistoryRecorder<RedisStringInput, RedisStringReply>,
): Promise<void> {
  for (let number = 1; number <= KEYS; number++) {
    const key = keyOf(round, number);
    const open = recorder.invoke(`node ${id}`, { key, f: "get" });
    open.ok(
      await retry(
        async () => (await answered(cluster.node(id).call("read", { key }))) ?? null,
        RECOVERY_MS,
        () => late("reads", `node ${id} does not answer a read`),
      ).then(({ reply }) => reply),
    );
  }
}

/** Ends the round in the log. @returns the index up to which everything of it stands. */
async function endRound(cluster: Cluster, round: number): Promise<number> {
  const command = { type: "end", round } as const;
  const end = async (): Promise<number | null> => {
    const leader = await cluster.leader();
    if (leader === null) return null;
    return (await answered(cluster.node(leader).call("write", { command })))?.index ?? null;
  };
  return retry(end, RECOVERY_MS, () => late("serves again", "the round cannot be ended"));
}

async function answered<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CallError) return null;
    throw error;
  }
}

function checkHistory(recorder: HistoryRecorder<RedisStringInput, RedisStringReply>): void {
  const model = redisStringModel();
  const result = checkLinearizability(recorder.history(), model);
  if (result.verdict !== "ok") throw new RoundFailure("linearizable", linearizabilityReport(result, model));
}

async function within(done: Promise<void>, rule: string, problem: string): Promise<void> {
  let isDone = false;
  void done.then(() => (isDone = true));
  await retry(
    async () => (isDone ? true : null),
    RECOVERY_MS,
    () => late(rule, problem),
  );
  await done;
}

function late(rule: string, problem: string): RoundFailure {
  return new RoundFailure(rule, `${problem} after ${RECOVERY_MS / 1000} s`);
}
