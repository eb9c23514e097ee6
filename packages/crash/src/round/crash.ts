import { sleep } from "@seshat/chaos";
import type { NodePlan, RoundPlan } from "./plan.js";
import { victims } from "./plan.js";

/** Nodes that can be killed and started, whatever runs in their processes. */
export interface Crashable {
  /** kill -9. */
  kill(id: number): Promise<void>;
  /** Ends when it runs; or false, or an error, when it was killed before it did. */
  start(id: number): Promise<unknown>;
  isRunning(id: number): boolean;
}

/** How many processes were killed, and how many of them while they started again. */
export interface Kills {
  readonly kills: number;
  readonly killsWhileStarting: number;
}

/** Kills the nodes that a plan is for, and starts them again. */
export async function crashAll(
  nodes: Crashable,
  plan: RoundPlan,
  leader: number,
  ids: readonly number[],
): Promise<Kills> {
  const chosen = victims(plan, leader, ids);
  const killed = await Promise.all(chosen.map((id, at) => crash(nodes, id, plan.nodes[at] as NodePlan)));
  return {
    kills: killed.reduce((sum, { kills }) => sum + kills, 0),
    killsWhileStarting: killed.reduce((sum, { killsWhileStarting }) => sum + killsWhileStarting, 0),
  };
}

/** Kills a node, and starts it again, perhaps twice. */
async function crash(
  nodes: Crashable,
  id: number,
  { killAfterMs, downMs, againAfterMs }: NodePlan,
): Promise<Kills> {
  await sleep(killAfterMs);
  await nodes.kill(id);
  await sleep(downMs);
  if (againAfterMs === null) {
    await nodes.start(id);
    return { kills: 1, killsWhileStarting: 0 };
  }
  let hasStarted = false;
  const starting = nodes.start(id).then(
    (started) => (hasStarted = started !== false),
    // It was killed; one that cannot start fails the round below.
    () => false,
  );
  await sleep(againAfterMs);
  const killsWhileStarting = hasStarted ? 0 : 1;
  await nodes.kill(id);
  await starting;
  // One that was launched only after the kill runs.
  if (!nodes.isRunning(id)) await nodes.start(id);
  return { kills: 2, killsWhileStarting };
}
