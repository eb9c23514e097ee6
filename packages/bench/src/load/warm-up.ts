import type { BenchSettings } from "../bench.js";
import type { Load } from "../redis/run-benchmark.js";

/** Does so many requests of a load, and says how fast. */
export type Run = (load: Load, requests: number) => Promise<{ readonly perSecond: number }>;

/** Requests of the first run, which finds out how many fit into a round. */
const FIRST_REQUESTS = 2000;
const LEAST_ROUND_TRIPS = 200;
const MOST_REQUESTS = 5_000_000;
/** How long each load is carried out before it is measured, in rounds. */
const ROUNDS = 3;
/**
 * How long a program on V8 works before anything is measured, in rounds: it is compiled while it runs, what it does for the first time, as a store that
 * makes tables, has some of it compiled anew, and it is three times slower in its first seconds than after half a minute.
 */
const ROUNDS_ON_V8 = { set: 20, get: 5 } as const;
const CLIENTS_ON_V8 = 64;

/**
 * Carries out a load for some rounds.
 *
 * @returns how many requests fit into a round then.
 */
export async function warmUp(
  run: Run,
  load: Load,
  settings: Pick<BenchSettings, "seconds" | "scale">,
  rounds: number = ROUNDS,
): Promise<number> {
  const least = Math.max(LEAST_ROUND_TRIPS, 2 * load.clients) * load.pipeline;
  const until = performance.now() + rounds * settings.seconds * 1000;
  let requests = Math.max(least, Math.ceil(FIRST_REQUESTS * settings.scale));
  do {
    const { perSecond } = await run(load, requests);
    requests = Math.min(MOST_REQUESTS, Math.max(least, Math.ceil(perSecond * settings.seconds)));
  } while (performance.now() < until);
  return requests;
}

/** Has a program that runs on V8 work until it is compiled. */
export async function warmUpV8(run: Run, name: string, settings: BenchSettings): Promise<void> {
  for (const command of ["set", "get"] as const) {
    settings.progress(`warming up ${name}, ${command}`);
    await warmUp(run, { command, clients: CLIENTS_ON_V8, pipeline: 1 }, settings, ROUNDS_ON_V8[command]);
  }
}
