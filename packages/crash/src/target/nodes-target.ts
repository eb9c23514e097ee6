import { Cluster, NODE_IDS } from "../cluster/cluster.js";
import type { RoundSum } from "../machine/journal-machine.js";
import type { Plant } from "../node/plants.js";
import { runRound } from "../round/round.js";
import type { Target } from "./target.js";

/** Nodes of the product on a state machine that keeps a journal. */
export function nodesTarget(dir: string, plant: Plant | null): Target {
  const cluster = new Cluster(dir, plant);
  const sums = new Map<number, RoundSum>();
  let lastId = 0;
  const nextId = (): number => (lastId += 1);
  return {
    found: () => cluster.found(),
    run: (round, random) => runRound({ cluster, round, random, nextId, sums }),
    outputs: () =>
      NODE_IDS.map((id) => [id, cluster.node(id).output] as const).filter(([, output]) => output !== ""),
    stop: () => cluster.stop(),
  };
}
