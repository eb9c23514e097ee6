import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import type { ClosedLoop, RoundLength } from "../load/closed-loop.js";
import { runClosedLoop } from "../load/closed-loop.js";
import { promiseLimit } from "../load/promise-limit.js";

/** What came of one number of clients. */
export interface CheckedShare {
  readonly clients: number;
  /** What the best round of Raft is of the best round of the limit. */
  readonly share: number;
  readonly floor: number;
  /** How many rounds it took. */
  readonly rounds: number;
  readonly passed: boolean;
}

/** A share that is not to be fallen below. */
export interface Floor {
  readonly clients: number;
  readonly share: number;
}

/** How many rounds are taken, and how long each side of one is. */
export interface CheckRounds {
  /** Before an engine passes: one that is disturbed could make the limit look low. */
  readonly least: number;
  /** Before it counts as too slow. */
  readonly most: number;
  readonly length: RoundLength;
}

/** About 60 % of what this engine typically reaches. */
const FLOORS: readonly Floor[] = [
  { clients: 1, share: 0.02 },
  { clients: 64, share: 0.16 },
  { clients: 1024, share: 0.18 },
];

const ROUNDS: CheckRounds = { least: 5, most: 60, length: { seconds: 0.15 } };

/**
 * Takes short rounds of the limit and of Raft by turns until the best of Raft is the floor's share of the best of the limit, or has not been
 * for too long. What a machine does beside takes from a round and never gives, so of each side the best round says what it can do. By the
 * clock or by the processor's time, which others take less from: whichever is better. The writes are verified.
 */
export async function* checkShares(
  progress: (what: string) => void,
  floors: readonly Floor[] = FLOORS,
  { least, most, length }: CheckRounds = ROUNDS,
): AsyncGenerator<CheckedShare, void, undefined> {
  for (const { clients, share: floor } of floors) {
    await using cluster = await BenchCluster.start<EmptyConfig>({ nodes: 3, makeStorage: emptyStorage });
    const limit = new BestRounds(promiseLimit(clients));
    const raft = new BestRounds(cluster.writers(clients, () => null));
    let share = 0;
    let rounds = 0;
    while (rounds < most && (share < floor || rounds < least)) {
      rounds += 1;
      progress(`check: ${clients} clients, round ${rounds}, ${share.toFixed(3)} of ${floor}`);
      await limit.take(length);
      await raft.take(length);
      share = Math.max(raft.perSecond / limit.perSecond, limit.cpuUs / raft.cpuUs);
    }
    await cluster.verify();
    yield { clients, share, floor, rounds, passed: share >= floor };
  }
}

/** The best that a load has shown. */
class BestRounds {
  perSecond = 0;
  cpuUs: number = Number.POSITIVE_INFINITY;
  readonly #loop: ClosedLoop;

  constructor(loop: ClosedLoop) {
    this.#loop = loop;
  }

  async take(length: RoundLength): Promise<void> {
    const { perSecond, cpuUsPerOperation } = await runClosedLoop(this.#loop, length);
    this.perSecond = Math.max(this.perSecond, perSecond);
    this.cpuUs = Math.min(this.cpuUs, cpuUsPerOperation);
  }
}
