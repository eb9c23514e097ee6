import { Cluster, openNetwork, plantModule } from "@seshat/chaos";
import { NODE_IDS } from "../cluster/cluster.js";
import type { Plant } from "../node/plants.js";
import { runServerRound } from "../servers/server-round.js";
import type { Target } from "./target.js";

/** `seshat` itself, and Redis clients. */
export async function serversTarget(dir: string, plant: Plant | null): Promise<Target> {
  const network = await openNetwork(null);
  // Those that servers can be given have the same names in both programs.
  const preloads = plant === "early-ack" ? [plantModule(plant)] : [];
  const cluster = new Cluster({ root: dir, network, preloads });
  const kept = new Map<string, string | null>();
  return {
    found: async () => void (await cluster.found(NODE_IDS)),
    run: (round, random) => runServerRound({ cluster, round, random, kept }),
    outputs: () => cluster.outputs(),
    stop: async () => {
      await cluster.close();
      await network.close();
    },
  };
}
