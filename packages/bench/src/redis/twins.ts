import type { BenchResult, BenchSettings } from "../bench.js";
import { rounded } from "../statistics/figures.js";
import { median, summarize } from "../statistics/summary.js";
import type { Load } from "./run-benchmark.js";
import { runRedisBenchmark } from "./run-benchmark.js";
import type { BenchedServer } from "./servers.js";

/** One of two servers that differ in one thing. */
export interface Twin {
  readonly server: BenchedServer;
  /** From how many keys one is drawn for each command. */
  readonly keys: number;
}

const FIRST_REQUESTS = 5000;
const CLIENTS = 50;

/** One load on both, by turns: what the second costs beside the first. */
export async function compareTwins(
  plain: Twin,
  other: Twin,
  { command, pipeline }: Pick<Load, "command" | "pipeline">,
  settings: BenchSettings,
): Promise<BenchResult> {
  const what = `${command} with ${CLIENTS} clients, pipelines of ${pipeline}`;
  settings.progress(`${what}, warming up`);
  const load = { command, pipeline, clients: CLIENTS };
  const least = CLIENTS * pipeline;
  const first = Math.max(least, Math.ceil(FIRST_REQUESTS * settings.scale));
  const { perSecond } = await runRedisBenchmark(plain.server.port, { ...load, keys: plain.keys }, first);
  await runRedisBenchmark(other.server.port, { ...load, keys: other.keys }, first);
  // As many on both, so that both have as much to clean up.
  const requests = Math.max(least, Math.ceil(perSecond * settings.seconds));
  const round = async ({
    server,
    keys,
  }: Twin): Promise<{ perSecond: number; p99Us: number; cpuUs: number }> => {
    const cpu = await server.cpuUs();
    const { perSecond: rate, p99Us } = await runRedisBenchmark(server.port, { ...load, keys }, requests);
    return { perSecond: rate, p99Us, cpuUs: ((await server.cpuUs()) - cpu) / requests };
  };
  const rounds: [Awaited<ReturnType<typeof round>>, Awaited<ReturnType<typeof round>>][] = [];
  for (let n = 1; n <= settings.rounds; n++) {
    settings.progress(`${what}, round ${n} of ${settings.rounds}`);
    rounds.push([await round(plain), await round(other)]);
  }
  const of = (side: 0 | 1, field: "perSecond" | "p99Us" | "cpuUs"): number[] =>
    rounds.map((pair) => pair[side][field]);
  return {
    command,
    pipeline,
    plainPerSec: Math.round(median(of(0, "perSecond"))),
    otherPerSec: Math.round(median(of(1, "perSecond"))),
    share: rounded(median(rounds.map(([a, b]) => b.perSecond / a.perSecond))),
    plainCpuUs: rounded(median(of(0, "cpuUs"))),
    otherCpuUs: rounded(median(of(1, "cpuUs"))),
    plainP99Us: rounded(median(of(0, "p99Us"))),
    otherP99Us: rounded(median(of(1, "p99Us"))),
    spread: rounded(summarize(of(1, "perSecond")).spread),
    rounds: settings.rounds,
  };
}
