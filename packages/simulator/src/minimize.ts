import type { Action } from "./faults/act.js";
import type { Plan } from "./faults/plan.js";
import { Violation } from "./oracle/violation.js";
import type { SimulationResult } from "./simulation.js";

/** Runs that one minimization makes at most. */
const MAX_RUNS = 200;

/**
 * Leaves out of a plan that fails what it does not take to fail in the same way: actions, by delta debugging (Zeller and Hildebrandt 2002), a second founding, large
 * values, leases, waiting followers, clocks that drift, keys, time and clients. What chance decides is drawn anew in each run, so the result is small rather than smallest.
 *
 * @param violation what did not hold.
 */
export function minimize(
  plan: Plan,
  violation: Error,
  run: (candidate: Plan) => Promise<SimulationResult>,
): Promise<Plan> {
  return new Minimizer(violation, run).minimize(plan);
}

class Minimizer {
  readonly #property: string;
  readonly #run: (candidate: Plan) => Promise<SimulationResult>;
  #runs = 0;

  constructor(violation: Error, run: (candidate: Plan) => Promise<SimulationResult>) {
    this.#property = propertyOf(violation);
    this.#run = run;
  }

  async minimize(plan: Plan): Promise<Plan> {
    let least = await this.#fewerActions(plan, 2);
    for (const change of simplifications(least)) {
      const candidate: Plan = { ...least, ...change };
      if (await this.#fails(candidate)) least = candidate;
    }
    for (let clients = 1; clients < least.clients; clients += 1) {
      if (await this.#fails({ ...least, clients })) return { ...least, clients };
    }
    return least;
  }

  /** Tries to do without each of `parts` parts of the actions, then of smaller ones. */
  async #fewerActions(plan: Plan, parts: number): Promise<Plan> {
    const { length } = plan.actions;
    if (length === 0 || parts > 2 * length) return plan;
    for (const actions of without(plan.actions, parts)) {
      const candidate: Plan = { ...plan, actions };
      if (await this.#fails(candidate)) return this.#fewerActions(candidate, Math.max(2, parts - 1));
    }
    return this.#fewerActions(plan, parts * 2);
  }

  async #fails(candidate: Plan): Promise<boolean> {
    if (this.#runs >= MAX_RUNS) return false;
    this.#runs += 1;
    const { violation } = await this.#run(candidate);
    return violation !== null && propertyOf(violation) === this.#property;
  }
}

/** What a plan may do without, beside actions and clients. */
function simplifications({ actions, faultyMs, clockRates, rival }: Plan): Partial<Plan>[] {
  const end = (actions.at(-1)?.at ?? 0) + 1_000;
  return [
    ...(rival === undefined ? [] : [{ rival: undefined }]),
    { largeBytes: 0 },
    { leases: false },
    { thriftyDelayMs: 0 },
    { clockRates: clockRates.map(() => 1) },
    { keys: 1 },
    ...(end < faultyMs ? [{ faultyMs: end }] : []),
  ];
}

function propertyOf(error: Error): string {
  return error instanceof Violation ? error.property : error.message;
}

/** The actions without each of `parts` parts of them in turn. */
function without(actions: readonly Action[], parts: number): (readonly Action[])[] {
  const size = Math.ceil(actions.length / parts);
  const starts = Array.from({ length: Math.ceil(actions.length / size) }, (_, i) => i * size);
  return starts.map((start) => actions.filter((_, i) => i < start || i >= start + size));
}
