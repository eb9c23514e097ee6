import type { Bench, BenchResult, BenchSettings } from "../bench.js";
import { EtcdCluster, etcdProblem } from "../etcd/etcd-cluster.js";
import { warmUp, warmUpFirst } from "../load/warm-up.js";
import type { Load } from "../redis/run-benchmark.js";
import { VALUE_BYTES } from "../redis/run-benchmark.js";
import { SeshatCluster } from "../redis/seshat-cluster.js";
import { SERVERS } from "../redis/servers.js";
import type { Side, SideRound } from "../sides/side.js";
import { etcdSide, serverSide, seshatSide } from "../sides/side.js";
import { count, micros, percent, text, times } from "../statistics/cells.js";
import { rounded } from "../statistics/figures.js";
import { median, summarize } from "../statistics/summary.js";

const NAMES = ["seshat", "follower", "etcd", "etcdFollower", "redisAlways", "nodeLimit"] as const;
type Name = (typeof NAMES)[number];
/** Without etcd where there is none. */
type Sides = Readonly<Partial<Record<Name, Side>>>;

/** One load on every side, by turns: A B C A B C ... */
async function measure(sides: Sides, load: Load, settings: BenchSettings): Promise<BenchResult> {
  const { command, clients, pipeline } = load;
  const what = `${command} with ${clients} clients, pipelines of ${pipeline}`;
  const present = NAMES.flatMap((name) => {
    const side = sides[name];
    return side === undefined ? [] : [{ name, side, rounds: [] as SideRound[], requests: 0 }];
  });
  for (const each of present) {
    settings.progress(`${what}, warming up ${each.name}`);
    each.requests = await warmUp(each.side, load, settings);
  }
  for (let round = 1; round <= settings.rounds; round += 1) {
    for (const { name, side, rounds, requests } of present) {
      settings.progress(`${what}, round ${round} of ${settings.rounds}, ${name}`);
      rounds.push(await side(load, requests));
    }
  }
  const roundsOf = (name: Name): readonly SideRound[] =>
    present.find((each) => each.name === name)?.rounds ?? [];
  return { bench: "cluster", command, clients, pipeline, ...figures(roundsOf), rounds: settings.rounds };
}

/** Medians over the rounds. Shares are those of neighbours: what else the machine did, it did to both. */
function figures(roundsOf: (name: Name) => readonly SideRound[]): BenchResult {
  const one = (field: string, name: Name, of: keyof SideRound): BenchResult => {
    const values = roundsOf(name).map((round) => round[of]);
    return values.length === 0 ? {} : { [field]: rounded(median(values)) };
  };
  const share = (field: string, name: Name, of: Name, measured: keyof SideRound): BenchResult => {
    const values = roundsOf(name).map(
      (round, n) => round[measured] / (roundsOf(of)[n]?.[measured] ?? Number.NaN),
    );
    return roundsOf(of).length === 0 ? {} : { [field]: rounded(median(values)) };
  };
  return {
    ...one("seshatPerSec", "seshat", "perSecond"),
    ...one("followerPerSec", "follower", "perSecond"),
    ...one("etcdPerSec", "etcd", "perSecond"),
    ...one("etcdFollowerPerSec", "etcdFollower", "perSecond"),
    ...one("redisAlwaysPerSec", "redisAlways", "perSecond"),
    ...one("nodeLimitPerSec", "nodeLimit", "perSecond"),
    ...share("ofEtcd", "seshat", "etcd", "perSecond"),
    ...share("followerOfEtcd", "follower", "etcdFollower", "perSecond"),
    ...share("ofRedisAlways", "seshat", "redisAlways", "perSecond"),
    ...share("ofNodeLimit", "seshat", "nodeLimit", "perSecond"),
    ...one("p50Us", "seshat", "p50Us"),
    ...one("p99Us", "seshat", "p99Us"),
    ...one("etcdP99Us", "etcd", "p99Us"),
    ...one("followerP99Us", "follower", "p99Us"),
    ...one("etcdFollowerP99Us", "etcdFollower", "p99Us"),
    ...share("p99OfEtcd", "seshat", "etcd", "p99Us"),
    ...one("cpuUs", "seshat", "cpuUs"),
    ...one("etcdCpuUs", "etcd", "cpuUs"),
    spread: rounded(summarize(roundsOf("seshat").map(({ perSecond }) => perSecond)).spread),
  };
}

/** Three durable processes beside three of etcd, Redis as durable, and the least that a server in Node can do. */
export const cluster: Bench = {
  name: "cluster",
  about:
    "redis-benchmark on three durable processes, through the leader and through a follower, beside three of etcd (gRPC), one Redis with appendfsync always, and the limit of Node",
  notes: [
    "Seshat, Redis and the limit of Node are asked by `redis-benchmark`: so many connections, each with a pipeline of so many commands. etcd is asked by a client of this",
    "package that speaks gRPC, over as many connections, each with as many calls under way as the pipeline is long; it takes less processor time for a call than",
    "`redis-benchmark` and etcd do; what etcd refuses because it has too much to do is asked again. Keys are drawn from 100,000, values have 64 bytes. All are durable: Seshat and etcd with their defaults, Redis with appendfsync always. Reads are",
    "linearizable, in etcd too. The limit of Node is a server that answers +OK at once. All processes and the clients share the processors, so what three processes reach is less than",
    "what three machines would; CPU is that of all three nodes for one command. Each side works for 25 rounds, of a second at most, when it was started, for what runs on V8",
    "is compiled while it runs, and for three with each load, before the first round that counts.",
  ],
  keys: ["command", "clients", "pipeline"],
  compared: ["seshatPerSec", "followerPerSec", "ofNodeLimit", "p99Us"],
  columns: [
    text("command", "command"),
    text("clients", "clients"),
    text("pipeline", "pipeline"),
    count("Seshat/s", "seshatPerSec"),
    count("etcd/s", "etcdPerSec"),
    times("x etcd", "ofEtcd"),
    micros("p99 us", "p99Us"),
    micros("etcd, p99", "etcdP99Us"),
    count("by a follower", "followerPerSec"),
    count("etcd, by a follower", "etcdFollowerPerSec"),
    times("x etcd, both by a follower", "followerOfEtcd"),
    micros("p99, by a follower", "followerP99Us"),
    micros("etcd, p99, by a follower", "etcdFollowerP99Us"),
    count("Redis, always", "redisAlwaysPerSec"),
    count("Node limit", "nodeLimitPerSec"),
    percent("of limit", "ofNodeLimit"),
    micros("CPU us", "cpuUs"),
    micros("etcd, CPU us", "etcdCpuUs"),
    percent("spread", "spread"),
  ],
  async *run(settings) {
    await using stack = new AsyncDisposableStack();
    const seshat = stack.use(await SeshatCluster.start());
    const problem = etcdProblem();
    if (problem !== null) settings.notice(`${problem}: it is left out of what follows`);
    const etcd = problem === null ? stack.use(await EtcdCluster.start()) : null;
    const sides: Sides = {
      seshat: seshatSide(seshat, "leader"),
      follower: seshatSide(seshat, "follower"),
      ...(etcd !== null && {
        etcd: etcdSide(etcd, "leader"),
        etcdFollower: etcdSide(etcd, "follower"),
      }),
      redisAlways: serverSide(stack.use(await SERVERS.redisAlways()), true),
      nodeLimit: serverSide(stack.use(await SERVERS.nodeLimit()), false),
    };
    for (const [name, side] of Object.entries(sides)) await warmUpFirst(side, name, settings);
    for (const pipeline of [1, 16]) {
      for (const clients of settings.clients ?? [1, 64, 256]) {
        for (const command of ["set", "get"] as const) {
          const result = await measure(sides, { command, clients, pipeline }, settings);
          const keys = await seshat.verify();
          const etcdKeys = etcd === null ? {} : { etcdKeys: await etcd.verify(VALUE_BYTES) };
          yield { ...result, keys, ...etcdKeys, verified: true };
        }
      }
    }
  },
};
