import type { NodeId, RaftTypeConfig } from "@seshat/common";
import { StorageError } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import { Violation } from "../oracle/violation.js";
import type { RivalFounding } from "../faults/plan.js";
import { CALM } from "../network/network-faults.js";
import { describeCluster } from "./describe-cluster.js";
import { DamagedFileError } from "../storage/damaged-file-error.js";
import type { Run } from "./run.js";

/** How long a healed cluster may take to come to rest, in virtual milliseconds. */
export const CONVERGENCE_MS = 30_000;

const ONE_FOUNDING = "B1 one founding";
const MOST_FOUNDINGS = 5;

/** The founders start, and found the cluster. */
export async function found<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<void> {
  const { cluster, plan } = run;
  const { voters, spares, clockRates } = plan;
  for (const [i, id] of [...voters, ...spares].entries()) cluster.add(id, clockRates[i] ?? 1);
  for (const id of voters) {
    await run.until(`node ${id} to start`, cluster.start(id), CONVERGENCE_MS);
    // There are no faults yet: what stops it is its own.
    const { raft, stopCause } = cluster.node(id);
    if (raft === null) throw stopCause ?? new Error(`node ${id} does not start`);
  }
  if (plan.rival !== undefined) return foundTwice(run, plan.rival);
  await run.until("the founding", initialize(run, voters[0] as NodeId, voters), CONVERGENCE_MS);
}

function initialize<C extends RaftTypeConfig, I, O>(
  run: Run<C, I, O>,
  by: NodeId,
  voters: readonly NodeId[],
): Promise<void> {
  const raft = run.cluster.node(by).raft as Raft<C>;
  return raft.initialize(voters.map((id): [NodeId, C["Node"]] => [id, run.describe(id, 0)]));
}

/** Two operators found at once. One cluster comes of it, however often they try. */
async function foundTwice<C extends RaftTypeConfig, I, O>(
  run: Run<C, I, O>,
  rival: RivalFounding,
): Promise<void> {
  const { clock, cluster, plan } = run;
  for (const id of rival.voters) await run.until(`node ${id} to start`, cluster.start(id), CONVERGENCE_MS);
  const { links } = cluster.network;
  links.faults = { ...CALM, meanLatencyMs: rival.latencyMs };
  for (let attempt = 1; ; attempt += 1) {
    const first = settled(initialize(run, plan.voters[0] as NodeId, plan.voters));
    await clock.advance(rival.afterMs);
    const second = settled(initialize(run, rival.by, rival.voters));
    const [isFirst, isSecond] = await run.until("a founding", Promise.all([first, second]), CONVERGENCE_MS);
    if (isFirst && isSecond && plan.voters.join() !== rival.voters.join())
      run.fail(
        new Violation(ONE_FOUNDING, `${plan.voters.join()} and ${rival.voters.join()} were both founded`),
      );
    if (isFirst || isSecond) {
      run.count(`rival founding: the ${isFirst ? "first" : "second"} succeeds`);
      break;
    }
    run.count("rival founding: neither succeeds at once");
    if (attempt === MOST_FOUNDINGS)
      throw new Violation(ONE_FOUNDING, `neither succeeds: ${describeCluster(cluster)}`);
  }
  links.faults = CALM;
}

const settled = (founding: Promise<void>): Promise<boolean> =>
  founding.then(
    () => true,
    () => false,
  );

/** The first phase: only safety is asked for. */
export async function disturb<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<void> {
  const { clock, nemesis, plan, trace } = run;
  for (const { at, act } of plan.actions) {
    if (at >= plan.faultyMs) break;
    await advanceTo(run, at);
    if (run.over) return;
    trace.note(clock.now, JSON.stringify(act));
    nemesis.act(act);
  }
  await advanceTo(run, plan.faultyMs);
}

/** A node that stopped by itself is started again, as its supervisor would. */
export function reap<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): void {
  for (const { id, stopCause } of run.cluster.reap()) {
    if (stopCause !== null && !run.nemesis.explains(id, stopCause)) run.fail(unexplained(id, stopCause));
    run.count("node stopped by a disk error");
    void run.cluster.start(id);
  }
}

async function advanceTo<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>, at: number): Promise<void> {
  const { clock } = run;
  while (clock.now < at && !run.over) {
    await clock.advance(Math.min(50, at - clock.now));
    reap(run);
  }
}

/** A13: what is on a disk that nothing damaged can be read, and makes sense. */
function unexplained(id: NodeId, stopCause: Error): Error {
  const isUnreadable = stopCause instanceof StorageError || stopCause instanceof DamagedFileError;
  if (!isUnreadable) return stopCause;
  const found = `node ${id} cannot read its disk, which nothing damaged: ${stopCause.message}`;
  return new Violation("A13 what was durable is read back", found);
}
