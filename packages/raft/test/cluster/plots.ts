import type { Cluster } from "./cluster.js";
import { place, removal } from "./operator.js";

/** What seldom happens by chance alone, and matters: several things in a row. */

/** An election is a handful of messages one after another: most of them in no time. */
export function pass(cluster: Cluster): void {
  cluster.calmRound(0);
  cluster.calmRound(0);
  cluster.calmRound(cluster.random.integer(1, 6));
}

/** Crashes who installs a snapshot: before, between or after its two halves. */
export function crashInstalling(cluster: Cluster): void {
  const node = cluster.nodes().find(({ state }) => state !== null && state.snapshot.installing !== null);
  if (node === undefined) return;
  if (cluster.random.chance(0.7)) {
    if (cluster.random.chance(0.5)) node.persist(Number.POSITIVE_INFINITY);
    node.apply(Number.POSITIVE_INFINITY);
    node.buildSnapshot();
    node.install();
  }
  cluster.crash(node);
}

/** Cuts some node off, often the leader, from all others or from some, both ways or one way. */
export function partition(cluster: Cluster): void {
  const { random, network } = cluster;
  const leader = random.chance(0.5) ? cluster.someLeader()?.id : undefined;
  const alone = leader ?? cluster.someNode().id;
  const whole = random.chance(0.5);
  const oneWay = random.chance(0.3);
  for (const { id } of cluster.nodes()) {
    if (id === alone || (!whole && random.chance(0.3))) continue;
    network.cut(alone, id);
    if (!oneWay) network.cut(id, alone);
  }
}

/** Cuts the newest leader off from everybody, and nobody else any more. */
export function depose(cluster: Cluster): void {
  const leader = cluster.newestLeader();
  cluster.network.heal();
  if (leader === undefined) return;
  for (const { id } of cluster.nodes()) {
    cluster.network.cut(leader.id, id);
    cluster.network.cut(id, leader.id);
  }
}

/** Cuts the newest leader off and has another stand at once, perhaps after all others have forgotten in a crash what they promised. */
export function coup(cluster: Cluster): void {
  const leader = cluster.newestLeader();
  depose(cluster);
  const others = cluster.nodes().filter((each) => each !== leader);
  if (cluster.random.chance(0.5)) {
    for (const other of others) {
      cluster.crash(other);
      other.start();
    }
  }
  cluster.some(others).step({ type: "elect" });
}

/**
 * The newest leader hands over, and is cut off before it knows what came of it; or gives up waiting before the other has even been asked.
 */
export function handOver(cluster: Cluster): void {
  cluster.calmRound(0);
  const hurries = cluster.random.chance(0.5);
  cluster.newestLeader()?.transferLeader(null, hurries ? 5 : 1000);
  if (hurries) cluster.tick(8);
  if (cluster.random.chance(0.5)) cluster.newestLeader()?.read("lease");
  for (let left = cluster.network.size; left > 0; left--) cluster.deliver(0);
  depose(cluster);
}

/**
 * A voter that alone has what the leader has loses its disk, and another, which does not, stands in place of the leader: the erased one must not
 * help it.
 */
export function erase(cluster: Cluster): void {
  const { network, operator } = cluster;
  const leader = cluster.newestLeader();
  const voters = leader?.membership().membership.configs[0] ?? [];
  const [one, other] = cluster.nodes().filter((each) => each !== leader && voters.includes(each.id));
  if (leader === undefined || one === undefined || other === undefined) return;
  network.heal();
  cluster.calmRound(0);
  for (const { id } of cluster.nodes()) network.cut(id, other.id);
  cluster.writeSome(leader);
  cluster.calmRound(0);
  cluster.calmRound(0);
  if (!operator.wipe(one)) return;
  depose(cluster);
  cluster.tick(200);
  other.step({ type: "elect" });
}

/** The newest leader is heard, but hears the answers late, when what it has sent since does not arrive any more; and then another stands. */
export function answerLate(cluster: Cluster): void {
  const { network } = cluster;
  network.heal();
  cluster.calmRound(0);
  cluster.calmRound(55);
  const leader = cluster.newestLeader();
  if (leader === undefined) return;
  for (let left = network.size; left > 0; left--) cluster.deliver(0);
  for (const { id } of cluster.nodes()) network.cut(leader.id, id);
  cluster.tick(55);
  for (let left = network.size; left > 0; left--) cluster.deliver(0);
  cluster.tick(100);
  overthrow(cluster);
}

/** One voter has not heard from the leader for long; one that has stands, by an operator's wish. */
export function electRump(cluster: Cluster): void {
  const { network } = cluster;
  network.heal();
  const leader = cluster.newestLeader();
  if (leader === undefined) return;
  const deaf = cluster.some(cluster.nodes().filter((each) => each !== leader));
  network.cut(leader.id, deaf.id);
  for (let i = 0; i < 10; i++) cluster.calmRound(20);
  overthrow(cluster);
}

/** Another than the newest leader stands and is elected at once, if that can be, and all that lead write and read. */
function overthrow(cluster: Cluster): void {
  const leader = cluster.newestLeader();
  const others = cluster.nodes().filter((each) => each !== leader);
  depose(cluster);
  cluster.some(others).step({ type: "elect" });
  for (let i = 0; i < 4; i++) cluster.calmRound(0);
  const newest = cluster.newestLeader();
  if (newest !== undefined) cluster.writeSome(newest);
  for (let i = 0; i < 3; i++) cluster.calmRound(0);
  for (const each of cluster.leaders()) each.read("lease");
}

/**
 * A change to quite other voters reaches those and not the old ones, between whom all links are cut then, perhaps with the leader dead: neither side
 * alone may decide by the joint membership, and the old ones may by their own.
 */
export function splitJoint(cluster: Cluster): void {
  const { network, random } = cluster;
  const leader = cluster.newestLeader();
  if (leader === undefined) return;
  network.heal();
  cluster.calmRound(0);
  const old = leader.membership().membership.configs[0] ?? [];
  const ids = cluster.nodes().map(({ id }) => id);
  const added = ids.filter((id) => !old.includes(id));
  if (added.length === 0 || old.length < 3) return;
  for (const id of old) {
    for (const other of ids) {
      if (other === id || (id === leader.id && !old.includes(other))) continue;
      if (old.includes(other) && id !== leader.id && other !== leader.id) continue;
      network.cut(id, other);
      network.cut(other, id);
    }
  }
  for (const id of added) {
    network.join(id, leader.id);
    network.join(leader.id, id);
  }
  const changes = [
    { type: "addNodes", nodes: added.map(place) },
    { type: "replaceVoters", ids: random.chance(0.5) ? added : [...added, leader.id] },
  ] as const;
  if (cluster.operator.erased().length === 0) {
    leader.change({ type: "batch", changes }, { retain: random.chance(0.5), allowLagging: true });
  }
  for (let i = 0; i < 5; i++) cluster.calmRound(2);
  if (random.chance(0.5)) cluster.crash(leader);
  for (let i = 0; i < 40; i++) {
    cluster.calmRound(10);
    cluster.calmRound(0);
    const newest = cluster.newestLeader();
    if (newest !== undefined && (newest !== leader || i % 5 === 0)) cluster.writeSome(newest);
    for (const each of cluster.leaders()) each.read(cluster.somePolicy());
  }
}

/**
 * A founder loses its disk, is removed and added again, and is then left alone as soon as it has the beginning of the log, in which its old store voted,
 * perhaps as the only one.
 */
export function comeBack(cluster: Cluster): void {
  const { network, operator } = cluster;
  const options = { retain: false, allowLagging: true };
  network.heal();
  cluster.calmRound(0);
  const [founder] = cluster.nodes();
  const ids = cluster.nodes().map(({ id }) => id);
  const grown = [
    { type: "addNodes", nodes: ids.map(place) },
    { type: "addVoters", ids },
  ] as const;
  if (operator.erased().length === 0)
    cluster.newestLeader()?.change({ type: "batch", changes: grown }, options);
  settleDown(cluster);
  if (cluster.newestLeader() === founder) founder?.transferLeader(null, 300);
  settleDown(cluster);
  const leader = cluster.newestLeader();
  if (leader === undefined || founder === undefined || leader === founder) return;
  const [erased = operator.wipe(founder) ? founder : undefined] = operator.erased();
  if (erased === undefined || erased === leader) return;
  leader.change(removal(leader, erased.id), options);
  settleDown(cluster);
  leader.change({ type: "addNodes", nodes: [place(erased.id)] }, options);
  for (let left = 20; left > 0 && erased.disk.log.last.index === 0; left--) {
    cluster.deliver(0);
    erased.persist(Number.POSITIVE_INFINITY);
  }
  for (const { id } of cluster.nodes()) {
    network.cut(id, erased.id);
    network.cut(erased.id, id);
  }
  for (let i = 0; i < 20; i++) cluster.calmRound(30);
}

/** What is on its way comes to its end. */
function settleDown(cluster: Cluster): void {
  for (let i = 0; i < 6; i++) cluster.calmRound(3);
}

/** A follower falls behind the purged log, and is cut off once more while it gets the snapshot, until that is given up. */
export function leaveBehind(cluster: Cluster): void {
  const { network } = cluster;
  const leader = cluster.newestLeader();
  const followers = cluster.nodes().filter((each) => each !== leader && each.up);
  if (leader === undefined || followers.length === 0) return;
  const follower = cluster.some(followers);
  const cut = (): void => {
    network.cut(leader.id, follower.id);
    network.cut(follower.id, leader.id);
  };
  network.heal();
  cut();
  for (let i = 0; i < 3; i++) {
    cluster.writeSome(leader);
    cluster.calmRound(0);
    cluster.calmRound(0);
  }
  leader.takeSnapshot();
  for (let i = 0; i < 4; i++) cluster.calmRound(0);
  leader.step({ type: "purgeLog", upto: cluster.oracle.committedIndex });
  network.heal();
  for (let i = cluster.random.integer(1, 8); i > 0; i--) {
    cluster.calmRound(20);
    if (cluster.random.chance(0.5)) crashInstalling(cluster);
  }
  if (cluster.random.chance(0.5)) return;
  cut();
  for (let i = 0; i < 14; i++) cluster.calmRound(50);
}
