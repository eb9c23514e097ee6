import type { Act, Action } from "../../src/faults/act.js";
import type { Plan } from "../../src/faults/plan.js";
import { makePlan } from "../../src/faults/plan.js";

function at(ms: number, ...acts: Act[]): Action[] {
  return acts.map((act) => ({ at: ms, act }));
}

const restart: Act = { type: "restart", target: 0 };

/** Three nodes that take snapshots, crash, and start again from them. */
export const RESTARTS: Plan = {
  ...makePlan(1),
  voters: [1, 2, 3],
  spares: [],
  clockRates: [1, 1, 1],
  clients: 3,
  keys: 3,
  faultyMs: 700,
  healing: "all",
  snapshotChunkBytes: 200,
  actions: [
    ...at(200, ...[0, 0.4, 0.8].map((target): Act => ({ type: "snapshot", target }))),
    ...at(250, { type: "crash", target: 0 }),
    ...at(300, restart),
    ...at(500, { type: "crash", target: 0.5 }),
    ...at(510, restart),
  ],
};
