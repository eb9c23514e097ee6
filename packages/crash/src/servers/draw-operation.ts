import type { ClientOperation } from "@seshat/chaos";
import type { SeededRandom } from "@seshat/raft/testing";

const SHORTEST_LIFE_MS = 20;
const LONGEST_LIFE_MS = 500;
/** So many keys that have an end are read before the next is set. */
const READS_OF_A_LIFE = 6;

/** The keys of a round, all of which are there in the end or not, the same for everybody. */
export interface RoundKeys {
  readonly strings: readonly string[];
  readonly counters: readonly string[];
}

export function keysOfRound(round: number): RoundKeys {
  const keys = (kind: string): string[] => [1, 2].map((number) => `${round}:${kind}:${number}`);
  return { strings: keys("string"), counters: keys("counter") };
}

/** Draws SET, APPEND, DEL and GET of strings, INCR and GET of counters, and SET with an end and GET of keys that are set once. */
export function drawOperations(
  round: number,
  { strings, counters }: RoundKeys,
): (random: SeededRandom) => ClientOperation {
  let lastMortal = 0;
  const mortal = (): string => `${round}:mortal:${lastMortal}`;
  return (random) => {
    const one = (keys: readonly string[]): string => keys[random.integer(0, keys.length - 1)] as string;
    const dice = random.next();
    if (dice < 0.2) return { key: one(counters), f: "incr" };
    if (dice < 0.27) return { key: one(counters), f: "get" };
    if (dice < 0.63) return { key: one(strings), f: "set", value: "" };
    if (dice < 0.68) return { key: one(strings), f: "append", value: "" };
    if (dice < 0.72) return { key: one(strings), f: "del" };
    if (dice < 0.8) return { key: one(strings), f: "get" };
    if (lastMortal > 0 && random.integer(0, READS_OF_A_LIFE) > 0) return { key: mortal(), f: "get" };
    lastMortal += 1;
    const lifeMs = random.integer(SHORTEST_LIFE_MS, LONGEST_LIFE_MS);
    return { key: mortal(), f: "set", value: "", lifeMs };
  };
}
