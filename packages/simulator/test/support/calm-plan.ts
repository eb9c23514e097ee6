import type { Act } from "../../src/faults/act.js";
import type { Plan } from "../../src/faults/plan.js";

/** Few requests, so that a run is over soon. */
const LOAD: Act = { type: "load", thinkMs: 6 };

/** A plan for three voters and two spares in which nothing happens but this, at these times in milliseconds. */
export function calmPlan(
  acts: readonly (readonly [at: number, act: Act])[],
  changes: Partial<Plan> = {},
): Plan {
  return {
    seed: 1,
    voters: [1, 2, 3],
    spares: [4, 5],
    leases: false,
    clockRates: [1, 1, 1, 1, 1],
    clients: 1,
    keys: 1,
    faultyMs: 2_000,
    healing: "all",
    snapshotChunkBytes: 200,
    actions: [[0, LOAD] as const, ...acts].map(([at, act]) => ({ at, act })),
    ...changes,
  };
}
