import type { RaftTypeConfig } from "@seshat/common";
import { isJoint, voterIds } from "@seshat/common";
import type { Raft } from "@seshat/raft";
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
  await run.until("every node to start", nemesis.healAll(), CONVERGENCE_MS);
  const limit = clock.now + CONVERGENCE_MS;
  nemesis.thinkMs = 50;
  let rested = false;
  while (!rested && !run.over) {
    if (clock.now > limit) {
      const found = describeCluster(cluster);
      run.fail(new Violation("D liveness", `the healed cluster does not come to rest: ${found}`));
      return;
    }
    await clock.advance(100);
    reap(run);
    // One that did not start is tried again, as its supervisor would.
    for (const id of cluster.nodes.keys()) void cluster.start(id);
    await run.until("an erased voter to be replaced", nemesis.replaceErased(), CONVERGENCE_MS);
    const answered = clients.map((client) => client.answered);
    if (!nemesis.settled || !isAtRest(cluster)) continue;
    // Fresh writes and reads work, from every client.
    await clock.advance(1_500);
    rested = clients.every((client, i) => client.answered > (answered[i] as number));
  }
}

/** D1, D2, D5: one leader that all members follow, nobody joint, nobody behind for good. */
function isAtRest<C extends RaftTypeConfig>(cluster: Cluster<C>): boolean {
  const leader = cluster.leader();
  if (leader === null) return false;
  const { membership, replication, term, committed } = (leader.raft as Raft<C>).metrics();
  if (isJoint(membership.membership) || !voterIds(membership.membership).includes(leader.id)) return false;
  return [...membership.membership.nodes.keys()].every((id) => {
    const { raft } = cluster.node(id);
    if (raft === null) return false;
    const metrics = raft.metrics();
    const progress = replication?.get(id);
    return (
      metrics.term === term &&
      metrics.currentLeader === leader.id &&
      committed.index - metrics.lastApplied.index < 50 &&
      (progress === undefined || progress.mode === "pipeline")
    );
  });
}

/** Reads everything once more, and looks whether all members have the same. */
export async function readAll<C extends RaftTypeConfig, I, O>(run: Run<C, I, O>): Promise<void> {
  if (run.over) return;
  const { clock, cluster, clients, plan, system } = run;
  for (const input of system.lastReads?.(plan.keys) ?? []) {
    const read = clients[0]?.readUntilAnswered(input) ?? Promise.resolve();
    await run.until("a last read", read, CONVERGENCE_MS);
  }
  // D3: at rest all members have applied the same; that their states are equal the hashes say.
  await clock.advance(500);
  const leader = cluster.leader()?.raft?.metrics();
  for (const id of leader?.membership.membership.nodes.keys() ?? []) {
    const applied = cluster.node(id).raft?.metrics().lastApplied.index;
    if (applied !== leader?.lastApplied.index) {
      const found = `node ${id} has applied ${applied}: ${describeCluster(cluster)}`;
      run.fail(new Violation("D3 members converge", found));
    }
  }
}
