import type { Bench, BenchResult, BenchSettings } from "../bench.js";
import { VerificationError } from "../cluster/tally.js";
import type { Run } from "../load/warm-up.js";
import { warmUp, warmUpFirst } from "../load/warm-up.js";
import type { Load, Measured } from "../redis/run-benchmark.js";
import { commandsProcessed, runRedisBenchmark, verifyWritten } from "../redis/run-benchmark.js";
import type { BenchedServer } from "../redis/servers.js";
import { SERVERS } from "../redis/servers.js";
import { count, micros, percent, text } from "../statistics/cells.js";
import { rounded } from "../statistics/figures.js";
import { median, summarize } from "../statistics/summary.js";

type Name = keyof typeof SERVERS;
const NAMES = Object.keys(SERVERS) as Name[];

interface Round extends Measured {
  readonly cpuUs: number;
}

/** One load on every server, by turns: A B C D A B C D ... */
async function measure(
  servers: Readonly<Record<Name, BenchedServer>>,
  load: Load,
  settings: BenchSettings,
): Promise<BenchResult> {
  const { command, clients, pipeline } = load;
  const what = `${command} with ${clients} clients, pipelines of ${pipeline}`;
  const rounds: Record<Name, Round[]> = { redisMemory: [], redisAlways: [], nodeLimit: [], seshat: [] };
  const requests = {} as Record<Name, number>;
  for (const name of NAMES) {
    settings.progress(`${what}, warming up ${name}`);
    requests[name] = await warmUp(runOn(servers[name]), load, settings);
  }
  for (let round = 1; round <= settings.rounds; round += 1) {
    for (const name of NAMES) {
      settings.progress(`${what}, round ${round} of ${settings.rounds}, ${name}`);
      rounds[name].push(await runRound(servers[name], load, requests[name], name !== "nodeLimit"));
    }
  }
  const keys = await verifyWritten(servers.seshat.port);
  const perSec = (name: Name): number => Math.round(median(rounds[name].map(({ perSecond }) => perSecond)));
  const share = (of: Name): number =>
    rounded(
      median(rounds.seshat.map(({ perSecond }, n) => perSecond / (rounds[of][n]?.perSecond ?? Number.NaN))),
    );
  return {
    bench: "redis",
    command,
    clients,
    pipeline,
    seshatPerSec: perSec("seshat"),
    redisMemoryPerSec: perSec("redisMemory"),
    redisAlwaysPerSec: perSec("redisAlways"),
    nodeLimitPerSec: perSec("nodeLimit"),
    ofRedisMemory: share("redisMemory"),
    ofRedisAlways: share("redisAlways"),
    ofNodeLimit: share("nodeLimit"),
    p50Us: rounded(median(rounds.seshat.map(({ p50Us }) => p50Us))),
    p99Us: rounded(median(rounds.seshat.map(({ p99Us }) => p99Us))),
    redisAlwaysP99Us: rounded(median(rounds.redisAlways.map(({ p99Us }) => p99Us))),
    cpuUs: rounded(median(rounds.seshat.map(({ cpuUs }) => cpuUs))),
    nodeLimitCpuUs: rounded(median(rounds.nodeLimit.map(({ cpuUs }) => cpuUs))),
    spread: rounded(summarize(rounds.seshat.map(({ perSecond }) => perSecond)).spread),
    rounds: settings.rounds,
    keys,
    verified: true,
  };
}

function runOn({ port }: BenchedServer): Run {
  return (load, requests) => runRedisBenchmark(port, load, requests);
}

/** @param counts whether the server counts its commands, so that it can be seen that none was left out. */
async function runRound(
  server: BenchedServer,
  load: Load,
  requests: number,
  counts: boolean,
): Promise<Round> {
  const before = counts ? await commandsProcessed(server.port) : 0;
  const cpu = await server.cpuUs();
  const measured = await runRedisBenchmark(server.port, load, requests);
  const cpuUs = ((await server.cpuUs()) - cpu) / requests;
  if (counts) {
    const processed = (await commandsProcessed(server.port)) - before;
    if (!(processed >= requests))
      throw new VerificationError(`of ${requests} commands a server has carried out ${processed}`);
  }
  return { ...measured, cpuUs };
}

/** A durable node beside Redis, in memory and as durable, and beside the least that a server in Node can do. */
export const redis: Bench = {
  name: "redis",
  about:
    "redis-benchmark on one durable node, beside Redis in memory, Redis with appendfsync always, and the limit of Node",
  notes: [
    "Each server works for 25 rounds, of a second at most, when it was started, for what runs on V8 is compiled while it runs, and for three with each load, before the first round that counts.",
  ],
  keys: ["command", "clients", "pipeline"],
  compared: ["seshatPerSec", "ofRedisAlways", "ofNodeLimit", "p99Us"],
  columns: [
    text("command", "command"),
    text("clients", "clients"),
    text("pipeline", "pipeline"),
    count("Seshat/s", "seshatPerSec"),
    count("Redis, memory", "redisMemoryPerSec"),
    count("Redis, always", "redisAlwaysPerSec"),
    count("Node limit", "nodeLimitPerSec"),
    percent("of Redis, always", "ofRedisAlways"),
    percent("of memory", "ofRedisMemory"),
    percent("of limit", "ofNodeLimit"),
    micros("p50 us", "p50Us"),
    micros("p99 us", "p99Us"),
    micros("Redis always, p99", "redisAlwaysP99Us"),
    micros("CPU us", "cpuUs"),
    micros("limit, CPU us", "nodeLimitCpuUs"),
    percent("spread", "spread"),
  ],
  async *run(settings) {
    await using stack = new AsyncDisposableStack();
    const servers = {} as Record<Name, BenchedServer>;
    for (const name of NAMES) servers[name] = stack.use(await SERVERS[name]());
    for (const name of NAMES) await warmUpFirst(runOn(servers[name]), name, settings);
    for (const pipeline of [1, 16]) {
      for (const clients of settings.clients ?? [1, 50, 256]) {
        for (const command of ["set", "get"] as const)
          yield await measure(servers, { command, clients, pipeline }, settings);
      }
    }
  },
};
