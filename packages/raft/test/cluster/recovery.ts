import { isJoint, voterIds } from "@seshat/common";
import { DEFAULT_SWITCHES } from "../../src/engine/context.js";
import type { Cluster } from "./cluster.js";
import { place, removal } from "./operator.js";
import type { SimNode } from "./sim-node.js";

/** Virtual milliseconds within which a healed cluster must be of one mind. */
const CONVERGENCE_MS = 10_000;

/** Virtual milliseconds for which it must then stay so. */
const CALM_MS = 600;

/** How long a write and a read may take, in virtual milliseconds, before others are tried. */
const PATIENCE_MS = 500;

const STEP_MS = 5;

/** A write and a read that were asked for when the leader had come to `index`, and had served so many reads. */
interface Trial {
  readonly index: number;
  readonly reads: number;
  readonly until: number;
}

/**
 * Ends all faults. Then one leader must emerge, all members must have the same log, durable and applied, and the cluster
 * must take a write and serve a read; nodes that lost their disks can be removed, and added again; and nobody, member or not,
 * unseats the leader any more.
 */
export function recover(cluster: Cluster): void {
  cluster.network.heal();
  for (const node of cluster.nodes()) {
    cluster.restart(node);
    node.stall(null);
    const { preVote } = cluster.switches;
    node.configure({ ...DEFAULT_SWITCHES, preVote });
    cluster.initialize(node);
  }
  const end = cluster.now + CONVERGENCE_MS;
  const returning = new Set<SimNode>();
  let trial: Trial | null = null;
  while (cluster.now < end) {
    cluster.calmRound(STEP_MS);
    const replaced = replaceErased(cluster, returning);
    const leader = replaced ? agreedLeader(cluster) : null;
    if (leader === null) continue;
    const { index } = leader.machine.applied;
    const { readsServed } = cluster.oracle;
    if (trial !== null && index > trial.index && readsServed > trial.reads) return stayCalm(cluster, leader);
    if (trial !== null && cluster.now < trial.until) continue;
    trial = { index, reads: readsServed, until: cluster.now + PATIENCE_MS };
    leader.read();
    cluster.writeSome(leader);
  }
  const nodes = cluster.nodes().map((node) => describe(node, cluster.now));
  throw new Error(`no agreement within ${CONVERGENCE_MS} ms: ${nodes.join("; ")}`);
}

/** Removes who lost its disk, and adds it again as a voter. @returns true once there is nobody left. */
function replaceErased(cluster: Cluster, returning: Set<SimNode>): boolean {
  const leader = soleLeader(cluster);
  if (leader === null) return false;
  const { membership } = leader.membership();
  const [erased] = cluster.operator.erasedVoters([leader.membership()]);
  const isFree = leader.openQuestions.length === 0 && leader.state?.transfer === null;
  if (erased !== undefined) {
    returning.add(erased);
    if (isFree && erased !== leader && membership.nodes.has(erased.id)) {
      leader.change(removal(leader, erased.id), { retain: false, allowLagging: true });
    }
    return false;
  }
  const [node] = [...returning];
  if (node === undefined) return true;
  if (membership.configs.length === 1 && membership.configs[0]?.includes(node.id) === true) {
    returning.delete(node);
  } else if (isFree) {
    const changes = [
      { type: "addNodes", nodes: [place(node.id)] },
      { type: "addVoters", ids: [node.id] },
    ] as const;
    leader.change({ type: "batch", changes }, { retain: false, allowLagging: true });
  }
  return false;
}

function soleLeader(cluster: Cluster): SimNode | null {
  const [leader, ...others] = cluster.leaders();
  return leader === undefined || others.length > 0 ? null : leader;
}

/** The one leader, once all members have the same log, durable and applied, and nothing is left to be done. */
function agreedLeader(cluster: Cluster): SimNode | null {
  const leader = soleLeader(cluster);
  const role = leader?.state?.role;
  if (leader === null || role?.type !== "leader") return null;
  const { membership } = leader.membership();
  const { applied, hash } = leader.machine;
  if (isJoint(membership) || leader.state?.memberships.length !== 1) return null;
  const bound = membership.incarnations.size === voterIds(membership).length;
  if (cluster.hosts.tellStoresApart && !bound) return null;
  const agreed = cluster.nodes().every((node) => {
    if (!membership.nodes.has(node.id)) return true;
    return (
      node.idle &&
      node.openQuestions.length === 0 &&
      node.machine.hash === hash &&
      node.machine.applied.index === applied.index &&
      node.state?.log.last.index === applied.index &&
      (node === leader || role.progress.get(node.id)?.mode === "pipeline")
    );
  });
  return agreed ? leader : null;
}

/** Nothing goes wrong any more, so the leader stays: also for nodes that were removed, and do not know it. */
function stayCalm(cluster: Cluster, leader: SimNode): void {
  const term = leader.state?.vote.term;
  for (let passed = 0; passed < CALM_MS; passed += STEP_MS) {
    cluster.calmRound(STEP_MS);
    const now = soleLeader(cluster);
    if (now !== leader || now.state?.vote.term !== term) {
      throw new Error(`${leader.id} led term ${term}, and then ${now?.id} term ${now?.state?.vote.term}`);
    }
  }
  if (agreedLeader(cluster) === null) {
    const nodes = cluster.nodes().map((node) => describe(node, cluster.now));
    throw new Error(`agreed, and agrees no longer: ${nodes.join("; ")}`);
  }
}

function describe(node: SimNode, now: number): string {
  const { id, state, machine } = node;
  const { logId, membership } = node.membership();
  const parts = [
    `${id} ${state?.role.type} of term ${state?.vote.term} at ${machine.applied.index} of ${state?.log.last.index}`,
    `committed ${state?.committed.index}`,
    `membership ${logId.index} ${JSON.stringify(membership.configs)} of ${[...membership.nodes.keys()].join()}`,
  ];
  if (!node.idle) parts.push("busy");
  if (node.openQuestions.length > 0) parts.push(JSON.stringify(node.openQuestions));
  if (state?.role.type === "leader") {
    for (const [to, each] of state.role.progress) {
      parts.push(`${to}: ${each.mode} ${each.matchIndex} ${Math.round(each.retryAt - now)}`);
    }
  }
  return parts.join(", ");
}
