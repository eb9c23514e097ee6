import type { NodeId } from "@seshat/common";
import { SeededRandom } from "@seshat/raft/testing";
import type { OutsideWorld } from "../oracle/outside-world.js";
import type { Life } from "../world/life.js";

/** When simulated time begins, in milliseconds since 1970. */
export const EPOCH_MS: number = 1_700_000_000_000;

/** By how much the calendar clocks of two nodes differ at least, in milliseconds: more than messages take. */
const SKEW_MS = 377;
/** By how much what counts from the start of a machine differs. */
const UPTIME_SKEW_MS = 86_413;

/** More lives than a run has. */
const MAX_LIVES = 100_000;

/** The clocks and the chance that the state machine of one life finds: other ones than in every other life, and the same again with the same seed. */
export function outsideOf(
  id: NodeId,
  life: Life,
  seed: number,
  lives: number,
): { readonly world: OutsideWorld; readonly random: () => number } {
  // A source of its own: what a state machine draws does not change the run.
  const own = new SeededRandom((seed * MAX_LIVES + lives) % Number.MAX_SAFE_INTEGER);
  const random = (): number => own.next();
  const { runtime } = life;
  const sinceStart = (): number => runtime.now() + id * UPTIME_SKEW_MS;
  return {
    world: {
      date: () => EPOCH_MS + runtime.now() + id * SKEW_MS,
      performance: sinceStart,
      hrtime: sinceStart,
      random,
      crypto: random,
    },
    random,
  };
}
