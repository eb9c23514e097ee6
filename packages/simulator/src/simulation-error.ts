import type { Plan } from "./faults/plan.js";
import { makePlan } from "./faults/plan.js";
import { minimize } from "./minimize.js";
import { Violation } from "./oracle/violation.js";
import type { SimulationResult } from "./simulation.js";

/** Lines of the trace that an explanation ends with. */
const LAST_LINES = 40;

type Simulate = (plan: Plan, trace: boolean) => Promise<SimulationResult>;

/** A seed under whose faults something did not hold. The message says what, and how to run it again. */
export class SimulationError extends Error {
  readonly seed: number;
  /** What did not hold, e.g. `"B5 state machine safety"`; the name of the error where it was no property. */
  readonly property: string;
  readonly plan: Plan;
  readonly result: SimulationResult;
  readonly #violation: Error;
  readonly #simulate: Simulate;

  /** @param simulateAgain runs a plan on the same system. */
  constructor(plan: Plan, result: SimulationResult, simulateAgain: Simulate) {
    const violation = result.violation ?? new Error("nothing failed");
    const shortened = plan.faultyMs === makePlan(plan.seed).faultyMs ? "" : `, faultyMs: ${plan.faultyMs}`;
    super(
      [
        violation.message,
        `Seed ${plan.seed}, after ${result.steps} steps and ${Math.round(result.virtualMs)} virtual milliseconds.`,
        `Run it again, alone: await runSeeds(system, { seeds: 1, from: ${plan.seed}${shortened} })`,
        `Step by step: (await simulate(makePlan(${plan.seed}), system, { trace: true })).trace`,
      ].join("\n"),
      { cause: violation },
    );
    this.name = "SimulationError";
    this.seed = plan.seed;
    this.property = violation instanceof Violation ? violation.property : violation.name;
    this.plan = plan;
    this.result = result;
    this.#violation = violation;
    this.#simulate = simulateAgain;
  }

  /** What clients saw that cannot be explained, as SVG; null where that is not what failed. */
  get picture(): string | null {
    return this.result.picture;
  }

  /** Leaves out of the plan what it does not take to fail in the same way. It takes up to 200 runs. */
  minimize(): Promise<Plan> {
    return minimize(this.plan, this.#violation, (plan) => this.#simulate(plan, false));
  }

  /** What failed, what of the plan it takes, and the end of what then happens, step by step. It takes as long as `minimize`. */
  async explain(): Promise<string> {
    const least = await this.minimize();
    const { trace, violation } = await this.#simulate(least, true);
    const acts = least.actions.map(({ at, act }) => `  ${at.toFixed(1)} ms: ${JSON.stringify(act)}`);
    return [
      this.message,
      "",
      `It takes ${least.voters.length} voters, ${least.clients} clients and ${acts.length === 0 ? "no faults" : "these faults"}:`,
      ...acts,
      "",
      violation === null ? "" : violation.message,
      "What happened last:",
      ...trace.slice(-LAST_LINES).map((line) => `  ${line}`),
    ].join("\n");
  }
}
