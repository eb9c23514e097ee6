import type { Bench, BenchResult, BenchSettings } from "../bench.js";
import { ProcessCluster } from "../cluster/process-cluster.js";
import { VerificationError } from "../cluster/tally.js";
import { roundTripUs, syncLimit } from "../load/sync-limit.js";
import type { Round } from "../load/closed-loop.js";
import { count, grouped, micros, percent, ratio, text } from "../statistics/cells.js";
import { rounded, shareFigures } from "../statistics/figures.js";
import { median } from "../statistics/summary.js";

/**
 * What a prototype without Raft reached: three processes over loopback TCP that send batches with a length in front of them, and sync each to a
 * plain file; puts/s by the number of clients.
 */
const PROTOTYPE: Readonly<Record<"memory" | "durable", Readonly<Record<number, number>>>> = {
  memory: { 1: 10_700, 64: 368_000, 256: 696_000, 1024: 1_053_000 },
  durable: { 1: 1100, 64: 51_000, 256: 142_000, 1024: 375_000 },
};

const WARM_UP_CLIENTS = 64;
const MOST_WARM_UP_SECONDS = 1;

interface ClusterRound extends Round {
  /** Processor time of all nodes for one operation. */
  readonly allCpuUs: number;
}

async function writeRound(
  { leader, nodes }: ProcessCluster,
  clients: number,
  seconds: number,
): Promise<ClusterRound> {
  const cpuUs = async (): Promise<number> => {
    const each = await Promise.all(nodes.map((node) => node.cpuUs()));
    return each.reduce((sum, us) => sum + us, 0);
  };
  const before = await cpuUs();
  const round = await leader.round({ clients, seconds, operations: null, keys: null });
  return { ...round, allCpuUs: ((await cpuUs()) - before) / round.operations };
}

/** @throws {VerificationError} unless every node has applied exactly what the leader acknowledged, in order. */
async function verify(cluster: ProcessCluster): Promise<void> {
  const leader = await cluster.leader.verify();
  if (!leader.isLeader) throw new VerificationError("the leader changed meanwhile");
  for (const node of cluster.nodes) {
    const { applied } = await node.verify(leader.lastIndex);
    for (const field of ["writes", "writesHash"] as const) {
      const [found, expected] = [applied[field], leader.acknowledged[field]];
      if (found !== expected)
        throw new VerificationError(`node ${node.id} applied ${field} ${found}, and not ${expected}`);
    }
  }
}

async function measure(
  kind: "memory" | "durable",
  clients: number,
  settings: BenchSettings,
): Promise<BenchResult> {
  const { seconds, rounds, progress } = settings;
  await using cluster = await ProcessCluster.start(kind);
  const what = `${kind}, ${clients} clients`;
  const warmUp = Math.min(2 * seconds, MOST_WARM_UP_SECONDS);
  progress(`${what}, warming up`);
  await writeRound(cluster, Math.min(clients, WARM_UP_CLIENTS), warmUp);
  await writeRound(cluster, clients, warmUp);
  await cluster.leader.limit(clients, warmUp);
  const limit: Round[] = [];
  const measured: ClusterRound[] = [];
  const syncs: number[] = [];
  const trips: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    progress(`${what}, round ${round} of ${rounds}`);
    syncs.push(await syncLimit());
    trips.push(await roundTripUs());
    limit.push(await cluster.leader.limit(clients, seconds));
    measured.push(await writeRound(cluster, clients, seconds));
  }
  await verify(cluster);
  const prototypePerSec = PROTOTYPE[kind][clients];
  // What a lone write waits for, one after the other: the leader's disk, the network there and back, a follower's disk.
  const leastUs = (kind === "durable" ? 2e6 / median(syncs) : 0) + median(trips);
  const { cpuUsPerPut, ...shares } = shareFigures(limit, measured);
  return {
    bench: "durable",
    kind,
    nodes: 3,
    clients,
    ...shares,
    ...(prototypePerSec !== undefined && { prototypePerSec }),
    cpuUsPerPut: cpuUsPerPut ?? null,
    allCpuUsPerPut: rounded(median(measured.map(({ allCpuUs }) => allCpuUs))),
    syncsPerSec: rounded(median(syncs)),
    roundTripUs: rounded(median(trips)),
    p50OfLeast: rounded(median(measured.map(({ p50Us }) => p50Us)) / leastUs),
    verified: true,
  };
}

/** What is left over gRPC, in processes of their own, and with every write synced by a majority. */
export const durable: Bench = {
  name: "durable",
  about: "puts/s of three processes over gRPC, commands of 64 B, in memory and with durable logs",
  notes: [
    "The least that a lone write takes is two syncs of one file by a process that does nothing else, one after the other, and one round trip over loopback, all measured between the rounds; in memory the round trip alone. The three",
    "nodes and the clients share the processors and the disk. In memory it is the round trip over gRPC that the clients wait for, on followers that are mostly idle, and grpc-js's cost for each message.",
  ],
  keys: ["kind", "clients"],
  compared: ["putsPerSec", "shareOfLimit", "p99Us", "cpuUsPerPut", "allCpuUsPerPut"],
  columns: [
    text("log", "kind"),
    text("clients", "clients"),
    count("puts/s", "putsPerSec"),
    { title: "prototype", cell: ({ prototypePerSec }) => grouped(Number(prototypePerSec ?? 0)) },
    percent("of limit", "shareOfLimit"),
    count("limit/s", "limitPerSec"),
    micros("p50 us", "p50Us"),
    micros("p99 us", "p99Us"),
    micros("leader CPU us/put", "cpuUsPerPut"),
    micros("of all three", "allCpuUsPerPut"),
    count("syncs/s", "syncsPerSec"),
    micros("round trip us", "roundTripUs"),
    ratio("p50 : least", "p50OfLeast"),
  ],
  async *run(settings) {
    for (const kind of ["memory", "durable"] as const) {
      for (const clients of settings.clients ?? [1, 64, 256, 1024])
        yield await measure(kind, clients, settings);
    }
  },
};
