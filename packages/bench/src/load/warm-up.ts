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
 * How long a program works before anything is measured, in rounds of at most a second. What runs on V8 is compiled while it runs, and what it does for the first time, as a store
 * that makes tables, has some of it compiled anew: it is three times slower in its first seconds than after half a minute. Others gain little by it, and have it all the same.
 */
const FIRST_ROUNDS = { set: 20, get: 5 } as const;
/** However long a round is that counts: a program is compiled after half a minute. */
const MOST_FIRST_ROUND_SECONDS = 1;
const FIRST_CLIENTS = 64;

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

/** Has a program work that was just started. */
export async function warmUpFirst(run: Run, name: string, settings: BenchSettings): Promise<void> {
  const { scale } = settings;
  const seconds = Math.min(settings.seconds, MOST_FIRST_ROUND_SECONDS);
  for (const command of ["set", "get"] as const) {
    settings.progress(`warming up ${name}, ${command}`);
    const load: Load = { command, clients: FIRST_CLIENTS, pipeline: 1 };
    await warmUp(run, load, { seconds, scale }, FIRST_ROUNDS[command]);
  }
}
