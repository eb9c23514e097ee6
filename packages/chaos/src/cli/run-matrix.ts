import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SeededRandom } from "@seshat/raft/testing";
import type { FoundingTimes } from "../cluster/cluster.js";
import { Cluster } from "../cluster/cluster.js";
import type { ChaosNetwork, NetworkKind } from "../network/network.js";
import { openNetwork } from "../network/open-network.js";
import { plantModule } from "../plants/plants.js";
import type { ScenarioReport } from "../scenario/run-scenario.js";
import { runScenario } from "../scenario/run-scenario.js";
import type { Scenario } from "../scenario/scenario.js";
import { SCENARIOS } from "../scenario/scenarios.js";
import type { ChaosOptions } from "./options.js";

const FOUNDERS = [1, 2, 3];

/** What is told while it runs. */
export interface MatrixWatcher {
  readonly interrupted: AbortSignal;
  begins(scenario: string): void;
  formed(network: NetworkKind, times: FoundingTimes): void;
  ended(report: ScenarioReport): void;
  /** What the processes of a cluster that failed wrote last. */
  wrote(id: number, output: string): void;
}

/** Runs all that was asked for: in each round one cluster for what its network can do. @throws {ChaosFailure} the first that does not hold. */
export async function runMatrix(
  { scenarios, rounds, network, plant }: ChaosOptions,
  { seed, dir }: { readonly seed: number; readonly dir: string },
  watcher: MatrixWatcher,
): Promise<void> {
  const chosen = SCENARIOS.filter(({ name }) => scenarios.includes(name));
  // What needs a network of another kind needs a cluster of its own.
  const isOwn = (scenario: Scenario): boolean => network === "proxies" || scenario.network === undefined;
  const groups = [
    { kind: network, scenarios: chosen.filter(isOwn) },
    { kind: "proxies" as const, scenarios: chosen.filter((scenario) => !isOwn(scenario)) },
  ];
  for (let round = 1; round <= rounds; round++) {
    for (const group of groups) {
      if (group.scenarios.length === 0 || watcher.interrupted.aborted) continue;
      const root = join(dir, `round-${round}-${group.kind ?? "default"}`);
      await mkdir(root, { recursive: true });
      const parts = { root, round, seed, preloads: plant === null ? [] : [plantModule(plant)] };
      await runGroup(group.scenarios, await openNetwork(group.kind), parts, watcher);
    }
  }
}

interface GroupParts {
  readonly root: string;
  readonly round: number;
  readonly seed: number;
  readonly preloads: readonly string[];
}

async function runGroup(
  scenarios: readonly Scenario[],
  network: ChaosNetwork,
  { root, round, seed, preloads }: GroupParts,
  watcher: MatrixWatcher,
): Promise<void> {
  const cluster = new Cluster({ root, network, preloads });
  try {
    watcher.begins("a cluster is formed");
    watcher.formed(network.kind, await cluster.found(FOUNDERS));
    for (const scenario of scenarios) {
      if (watcher.interrupted.aborted) return;
      watcher.begins(scenario.name);
      // A source of its own for each: what one draws does not depend on which others there are.
      const at = SCENARIOS.indexOf(scenario);
      const random = new SeededRandom((seed + 1_000_003 * round + at) % Number.MAX_SAFE_INTEGER);
      watcher.ended(await runScenario(scenario, { cluster, random, prefix: `${scenario.name}:${round}` }));
    }
  } catch (error) {
    for (const [id, output] of cluster.outputs()) watcher.wrote(id, output);
    throw error;
  } finally {
    await cluster.close();
    await network.close();
  }
}
