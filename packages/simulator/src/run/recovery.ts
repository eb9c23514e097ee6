import type { NodeId, RaftTypeConfig } from "@seshat/common";
import { isJoint, voterIds } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import { SeededRandom } from "@seshat/raft/testing";
import { Violation } from "../oracle/violation.js";
import type { Cluster } from "../world/cluster.js";
import { describeCluster } from "./describe-cluster.js";
import { CONVERGENCE_MS, reap } from "./phases.js";
import type { Run } from "./run.js";

/** The second phase: everything works again, so the cluster must come to rest and serve. */
export async function recover<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<void> {
  if (run.over) return;
  const { clock, cluster, nemesis, clients } = run;
  run.trace.note(clock.now, "everything is healed");
  await heal(run);
  const limit = clock.now + CONVERGENCE_MS;
  nemesis.thinkMs = 50;
  let rested = false;
  while (!rested && !run.over) {
    if (clock.now > limit) {
      const property = run.plan.healing === "core" ? "D6 a healed core serves" : "D liveness";
      const found = describeCluster(cluster);
      run.fail(
        new Violation(
          property,
          `nodes ${run.core.join(", ")} reach each other, and do not come to rest: ${found}`,
        ),
      );
      return;
    }
    await clock.advance(100);
    reap(run);
    // One that did not start is tried again, as its supervisor would.
    for (const id of cluster.nodes.keys()) void cluster.start(id);
    await run.until("an erased voter to be replaced", nemesis.replaceErased(), CONVERGENCE_MS);
    const answered = clients.map((client) => client.answered);
    if (!nemesis.settled || !isAtRest(run)) continue;
    // Fresh writes and reads work, from every client.
    await clock.advance(1_500);
    rested = isAtRest(run) && clients.every((client, i) => client.answered > (answered[i] as number));
  }
  run.restTerm = leaderTerm(cluster);
}

async function heal<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<void> {
  const { cluster, nemesis, plan } = run;
  if (plan.healing === "core") {
    const random = new SeededRandom(plan.seed);
    const core = nemesis.healCore(() => random.next());
    run.core = await run.until("every node to start", core, CONVERGENCE_MS);
  } else {
    await run.until("every node to start", nemesis.healAll(), CONVERGENCE_MS);
    run.core = [...cluster.nodes.keys()];
  }
}

function leaderTerm<C extends RaftTypeConfig>(cluster: Cluster<C>): number {
  return cluster.leader()?.raft?.metrics().term ?? 0;
}

/** The members as the leader knows them, without those that stay cut off. */
function membersOf<C extends RaftTypeConfig, I, O>({ cluster, core }: Run<C, I, O>): NodeId[] {
  const membership = cluster.leader()?.raft?.metrics().membership.membership;
  return [...(membership?.nodes.keys() ?? [])].filter((id) => core.includes(id));
}

/** D1, D2, D5: one leader that all members follow, nobody joint, nobody behind for good. */
function isAtRest<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): boolean {
  const { cluster } = run;
  const leader = cluster.leader();
  if (leader === null) return false;
  const { membership, replication, term, committed, transferTarget } = (leader.raft as Raft<C>).metrics();
  if (transferTarget !== null) return false;
  if (isJoint(membership.membership) || !voterIds(membership.membership).includes(leader.id)) return false;
  if (!run.core.includes(leader.id)) return false;
  return membersOf(run).every((id) => {
    const { raft } = cluster.node(id);
    if (raft === null) return false;
    const metrics = raft.metrics();
    const progress = replication?.get(id);
    return (
      metrics.term === term &&
      metrics.currentLeader === leader.id &&
      committed.index - metrics.lastApplied.index < 50 &&
      metrics.storageStalled === null &&
      metrics.snapshotStalled === null &&
      (progress === undefined || (progress.mode === "pipeline" && progress.lag < 50))
    );
  });
}

/** How long queues may take to become empty once nobody asks for anything, in virtual milliseconds. */
const IDLE_MS = 2_000;

/** D5: nothing is left over. Everybody has everything, and beside heartbeats, which come and go, no message is on its way. */
async function idle<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<void> {
  const { clock, cluster } = run;
  const queues = (): string[] => {
    const leader = cluster.leader()?.raft?.metrics();
    return membersOf(run).flatMap((id) => {
      const progress = leader?.replication?.get(id);
      const isIdle =
        progress === undefined ||
        (progress.lag === 0 &&
          progress.inFlight === 0 &&
          progress.mode === "pipeline" &&
          progress.snapshot === null);
      return isIdle ? [] : [`node ${id}: ${JSON.stringify(progress)}`];
    });
  };
  for (const limit = clock.now + IDLE_MS; clock.now < limit && !run.over;) {
    if (queues().length === 0) return;
    await clock.advance(1);
  }
  const found = `${queues().join(", ")}: ${describeCluster(cluster)}`;
  if (!run.over) run.fail(new Violation("D5 queues are empty at rest", found));
}

/** Reads everything once more, and looks whether all members have the same. */
export async function readAll<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<void> {
  if (run.over) return;
  const { clock, cluster, clients, clientOracle, oracle, plan, system } = run;
  const inputs = system.lastReads?.(plan.keys) ?? [];
  for (const input of inputs) {
    const read = clients[0]?.readUntilAnswered(input) ?? Promise.resolve();
    await run.until("a last read", read, CONVERGENCE_MS);
  }
  await idle(run);
  // D3: at rest all members have applied the same; that their states are equal the hashes say.
  await clock.advance(500);
  const leader = cluster.leader()?.raft?.metrics();
  for (const id of membersOf(run)) {
    const { machine, raft } = cluster.node(id);
    const applied = raft?.metrics().lastApplied.index;
    if (applied !== leader?.lastApplied.index) {
      const found = `node ${id} has applied ${applied}: ${describeCluster(cluster)}`;
      run.fail(new Violation("D3 members converge", found));
    }
    const read = system.read?.bind(system);
    if (clientOracle === null || read === undefined || machine === null) continue;
    for (const input of inputs)
      oracle.check(() =>
        clientOracle.holds(
          id,
          input,
          machine.look((inner) => read(inner, input)),
        ),
      );
  }
  if (leaderTerm(cluster) === run.restTerm) return;
  const found = `the cluster was at rest in term ${run.restTerm}: ${describeCluster(cluster)}`;
  run.fail(new Violation("D7 nobody unseats a leader that serves", found));
}
