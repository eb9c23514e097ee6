import type { BenchSettings } from "../bench.js";
import type { ClosedLoop, Round } from "./closed-loop.js";
import { runClosedLoop } from "./closed-loop.js";

/**
 * Each side warms up with the number of clients that is measured, and before that with one that is quick to warm, for the length of
 * two rounds, up to a second: the compiler of the machine has to have seen all of it.
 */
const WARM_UP_CLIENTS = 64;
const MOST_WARM_UP_SECONDS = 1;

/**
 * Runs rounds of several loads by turns, A B A B ...: whatever else the machine does, it does it to all of them.
 *
 * @param what what is measured, for the progress.
 * @returns the rounds of each load, in the order of `loops`.
 */
export async function interleave(
  loops: readonly ClosedLoop[],
  settings: BenchSettings,
  what: string,
): Promise<Round[][]> {
  const warmUp = { seconds: Math.min(2 * settings.seconds, MOST_WARM_UP_SECONDS) };
  const length = { seconds: settings.seconds };
  settings.progress(`${what}, warming up`);
  for (const loop of loops) {
    await runClosedLoop({ ...loop, clients: Math.min(loop.clients, WARM_UP_CLIENTS) }, warmUp);
    await runClosedLoop(loop, warmUp);
  }
  const rounds: Round[][] = loops.map(() => []);
  for (let round = 1; round <= settings.rounds; round += 1) {
    settings.progress(`${what}, round ${round} of ${settings.rounds}`);
    for (const [i, loop] of loops.entries()) rounds[i]?.push(await runClosedLoop(loop, length));
  }
  return rounds;
}
