import type { Cluster } from "./cluster.js";
import type { SimNode } from "./sim-node.js";

/** Virtual milliseconds within which a healed cluster must be of one mind. */
const CONVERGENCE_MS = 10_000;

const STEP_MS = 5;

/**
 * Ends all faults. Then one leader must emerge, all nodes must have the same log, durable and applied, and the cluster
 * must take a write and serve a read.
 */
export function recover(cluster: Cluster): void {
  cluster.network.heal();
  for (const node of cluster.nodes()) {
    if (!node.up) node.start();
    cluster.initialize(node);
  }
  const end = cluster.now + CONVERGENCE_MS;
  let before: { readonly index: number; readonly reads: number } | null = null;
  while (cluster.now < end) {
    calmRound(cluster, STEP_MS);
    const leader = agreedLeader(cluster.nodes());
    if (leader === null) continue;
    const { index } = leader.machine.applied;
    const { readsServed } = cluster.oracle;
    if (before !== null && index > before.index && readsServed > before.reads) return;
    if (leader.openReads > 0) continue;
    before ??= { index, reads: readsServed };
    leader.read();
    cluster.writeSome(leader);
  }
  throw new Error(`no agreement within ${CONVERGENCE_MS} ms: ${cluster.nodes().map(describe).join("; ")}`);
}

/** Everything that is on its way arrives, in order; disks and state machines keep up; and then `ms` milliseconds pass. */
export function calmRound(cluster: Cluster, ms: number): void {
  for (let left = cluster.network.size; left > 0; left--) cluster.deliver(0);
  for (const node of cluster.nodes()) {
    node.persist(Number.POSITIVE_INFINITY);
    node.apply(Number.POSITIVE_INFINITY);
    node.buildSnapshot();
  }
  cluster.now += ms;
  for (const node of cluster.nodes()) node.tick();
}

/** The one leader, once all nodes have the same log, durable and applied. */
function agreedLeader(nodes: readonly SimNode[]): SimNode | null {
  const leaders = nodes.filter(({ state }) => state?.role.type === "leader");
  const [leader] = leaders;
  if (leader === undefined || leaders.length > 1) return null;
  const { applied, hash } = leader.machine;
  const agreed = nodes.every(
    (node) =>
      node.idle &&
      node.machine.hash === hash &&
      node.machine.applied.index === applied.index &&
      node.state?.log.last.index === applied.index,
  );
  return agreed ? leader : null;
}

function describe({ id, state, machine }: SimNode): string {
  return `${id} ${state?.role.type} of term ${state?.vote.term} at ${machine.applied.index} of ${state?.log.last.index}`;
}
