import { Cluster } from "./cluster.js";
import type { Summary } from "./cluster.js";
import type { Sabotage } from "./world.js";
import { recover } from "./recovery.js";

/** How much of a failing run is told. */
const STORY_LINES = 40;

/** Runs one seed for `steps` steps, then lets the cluster recover. A failure names the seed, and ends with what led to it. */
export function runSeed(seed: number, steps: number, sabotage: Sabotage | null = null): Summary {
  try {
    return run(new Cluster(seed, null, sabotage), steps);
  } catch (error) {
    const story = storyOf(seed, steps, sabotage).slice(-STORY_LINES).join("\n");
    throw new Error(`seed ${seed}: ${String(error)}\n${story}`, { cause: error });
  }
}

/** Everything that happens in a run, in words, up to its end or its failure. */
export function storyOf(seed: number, steps: number, sabotage: Sabotage | null = null): string[] {
  const lines: string[] = [];
  try {
    run(new Cluster(seed, (line) => lines.push(line), sabotage), steps);
  } catch (error) {
    lines.push(String(error));
  }
  return lines;
}

function run(cluster: Cluster, steps: number): Summary {
  cluster.run(steps);
  recover(cluster);
  return cluster.summary;
}
