import type { RaftTypeConfig } from "@seshat/common";
import type { Plan } from "./faults/plan.js";
import { explainDivergence } from "./oracle/explain-divergence.js";
import { installOutsideWorlds } from "./oracle/outside-world.js";
import { Violation } from "./oracle/violation.js";
import { judgeHistory } from "./run/judge-history.js";
import { CONVERGENCE_MS, disturb, found } from "./run/phases.js";
import { readAll, recover } from "./run/recovery.js";
import { Run } from "./run/run.js";
import { leaveOutStackTraces } from "./run/stack-traces.js";
import type { System } from "./system.js";
import type { SimInput, SimOutput } from "./workload/sim-model.js";
import { simSystem } from "./workload/sim-system.js";
import type { SimTypes } from "./workload/sim-types.js";

/** How a run is looked at. */
export interface RunOptions {
  /** Keep the trace as text, too: its newest lines; or tell them as they come, and keep none. Default: false. */
  readonly trace?: boolean | ((line: string) => void);
  /** Ends the run soon after so many steps, from 1 on, wherever it is: what would only show later does not. Default: no such bound. */
  readonly maxSteps?: number;
}

/** Changes to the system that is simulated where no other is given: registers, counters and sets. */
export type SimulationOptions = Partial<System<SimTypes, SimInput, SimOutput>>;

/** What came of a run. */
export interface SimulationResult {
  readonly seed: number;
  /** What did not hold; null when everything did. */
  readonly violation: Error | null;
  /** The smallest part of what clients saw that cannot be explained, as SVG; null when that is not what went wrong. */
  readonly picture: string | null;
  /** Steps of all engines. */
  readonly steps: number;
  readonly virtualMs: number;
  /** Equal for two runs exactly when they did the same. */
  readonly traceHash: string;
  readonly trace: readonly string[];
  /** How often what happened: faults, operations, protocol states. */
  readonly coverage: ReadonlyMap<string, number>;
}

/**
 * Runs a plan: first with its faults, then healed, when the cluster must come to rest and serve.
 *
 * @param system what is simulated. Default: {@link simSystem}, of which parts may be replaced.
 */
export async function simulate<C extends RaftTypeConfig, Input, Output>(
  plan: Plan,
  system: System<C, Input, Output>,
  options?: RunOptions,
): Promise<SimulationResult>;
export async function simulate(
  plan: Plan,
  changes?: SimulationOptions,
  options?: RunOptions,
): Promise<SimulationResult>;
export async function simulate(
  plan: Plan,
  system: SimulationOptions = simSystem,
  options: RunOptions = {},
): Promise<SimulationResult> {
  const whole = complete(system);
  const result = await carriedOut(new Run(plan, whole, options), options.trace !== undefined);
  const { violation } = result;
  if (violation === null || violation instanceof Violation || options.trace !== undefined) return result;
  // Nobody expected this error, so it matters where it was made. The same run makes it again.
  const again = await carriedOut(new Run(plan, whole, options), true);
  return again.violation?.message === violation.message ? again : result;
}

async function carriedOut<C extends RaftTypeConfig, I, O>(
  run: Run<C, I, O>,
  hasStackTraces: boolean,
): Promise<SimulationResult> {
  const undo = [installOutsideWorlds(), ...(hasStackTraces ? [] : [leaveOutStackTraces()])];
  try {
    await carryOut(run);
    return resultOf(run, await explained(run));
  } finally {
    for (const uninstall of undo) uninstall();
  }
}

/** A system that is whole stays as it is: it may be an object of a class. */
function complete(options: SimulationOptions): System<SimTypes, SimInput, SimOutput> {
  const { makeMachine, operation, toCommand } = options;
  const isWhole = makeMachine !== undefined && operation !== undefined && toCommand !== undefined;
  return isWhole ? (options as System<SimTypes, SimInput, SimOutput>) : { ...simSystem, ...options };
}

async function carryOut<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<void> {
  try {
    await found(run);
    const clients = run.clients.map((client) => client.run());
    for (const client of clients) client.catch((thrown: unknown) => run.fail(thrown as Error));
    await disturb(run);
    await recover(run);
    for (const client of run.clients) client.stop();
    await run.until("clients to end", Promise.all(clients), CONVERGENCE_MS);
    await readAll(run);
    judgeHistory(run);
  } catch (thrown) {
    if (!run.over) run.fail(thrown as Error);
  }
  for (const { id } of run.cluster.running()) run.cluster.crash(id);
}

/** What did not hold; where replicas differ, with the reason, as far as it can be found. */
async function explained<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<Error | null> {
  const { violation, replicas, system } = run;
  const { divergence } = replicas;
  if (divergence === null || divergence.violation !== violation) return violation;
  const log = replicas.log().filter(({ index }) => index <= divergence.index);
  const reason = await explainDivergence(() => system.makeMachine(), log);
  return new Violation(divergence.violation.property, `${divergence.violation.detail} ${reason}`);
}

function resultOf<C extends RaftTypeConfig, I, O>(
  run: Run<C, I, O>,
  violation: Error | null,
): SimulationResult {
  const { plan, cluster, nemesis, clock, trace } = run;
  for (const [what, times] of cluster.diskCounts()) run.count(`disk ${what}`, times);
  for (const [what, times] of Object.entries(cluster.protocol.counts)) run.count(what, times);
  for (const [what, times] of nemesis.counts) run.count(what, times);
  for (const [what, times] of Object.entries(cluster.network.links.counts)) {
    run.count(`messages ${what}`, times as number);
  }
  return {
    seed: plan.seed,
    violation,
    picture: run.picture,
    steps: cluster.steps,
    virtualMs: clock.now,
    traceHash: trace.hash,
    trace: trace.lines,
    coverage: run.coverage,
  };
}
