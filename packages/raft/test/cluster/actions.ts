import type { Cluster } from "./cluster.js";
import {
  answerLate,
  comeBack,
  coup,
  crashInstalling,
  depose,
  electRump,
  erase,
  handOver,
  leaveBehind,
  partition,
  pass,
  splitJoint,
} from "./plots.js";
import type { SimNode } from "./sim-node.js";

/** What may happen next in a run, how often, and how it is done. */
export type Action = readonly [name: string, weight: number, run: () => void];

/** Draws what happens at all in a run, and how often. */
export function drawActions(cluster: Cluster): Action[] {
  switch (cluster.kind) {
    case "chaos":
      return drawChaos(cluster);
    case "depositions":
      return drawDepositions(cluster);
    case "churn":
      return drawChurn(cluster);
    default:
      return cluster.kind satisfies never;
  }
}

function drawChaos(cluster: Cluster): Action[] {
  const { random, network, operator } = cluster;
  const sometimes = (weight: number): number => (random.chance(0.6) ? weight * random.next() : 0);
  const longestTick = random.integer(5, 80);
  const slowDisks = random.chance(0.5);
  const node = (): SimNode => cluster.someNode();
  const chunk = (): number => (slowDisks ? random.integer(1, 3) : Number.POSITIVE_INFINITY);
  return [
    ["deliver", random.integer(20, 60), () => cluster.deliver()],
    ["persist", slowDisks ? 20 : 40, () => node().persist(chunk())],
    ["apply", 8, () => node().apply(random.integer(1, 6))],
    ["install", 8, () => node().install()],
    ["tick", random.integer(3, 12), () => cluster.tick(random.integer(1, longestTick))],
    ["pass", sometimes(2), () => cluster.calmRound(0)],
    ["write", 6, () => cluster.writeSome(cluster.someLeader() ?? node())],
    ["read", sometimes(12), () => (cluster.someLeader() ?? node()).read(cluster.somePolicy())],
    ["read anywhere", sometimes(6), () => node().read(cluster.somePolicy())],
    ["drop", sometimes(10), () => network.drop()],
    ["duplicate", sometimes(10), () => network.duplicate()],
    ["crash", sometimes(3), () => cluster.crash(node())],
    ["crash of an installation", sometimes(6), () => crashInstalling(cluster)],
    ["restart", 4, () => cluster.restart(node())],
    ["crash of all", sometimes(0.3), () => cluster.nodes().forEach((each) => cluster.crash(each))],
    ["elect", sometimes(5), () => node().step({ type: "elect" })],
    ["cut", sometimes(1.5), () => partition(cluster)],
    ["heal", 0.2 + random.next(), () => network.heal()],
    ["build", 5, () => node().buildSnapshot()],
    ["resume", 1, () => node().stall(null)],
    ["wipe", sometimes(0.5), () => operator.wipe()],
    ["stall", sometimes(1), () => operator.stall()],
    ["configure", sometimes(1), () => operator.configure()],
    ["snapshot", sometimes(3), () => node().takeSnapshot()],
    ["purge", sometimes(4), () => operator.purge()],
    ["offer", sometimes(1), () => operator.offerSnapshot()],
    ["change", sometimes(12), () => operator.change()],
    ["transfer", sometimes(4), () => operator.transfer()],
  ];
}

/**
 * A fast network and fast disks, but leaders that are cut off from everybody again and again: what one that is deposed without
 * knowing may still serve is decided within milliseconds.
 */
function drawDepositions(cluster: Cluster): Action[] {
  const { random, network, operator } = cluster;
  const maybe = (weight: number): number => (random.chance(0.5) ? weight : 0);
  const node = (): SimNode => cluster.someNode();
  return [
    ["pass", 10, () => pass(cluster)],
    ["write", 2, () => cluster.writeSome(cluster.newestLeader() ?? node())],
    ["read", 6, () => cluster.leaders().forEach((each) => each.read(cluster.somePolicy()))],
    ["read anywhere", 1, () => node().read(cluster.somePolicy())],
    ["depose", 0.3, () => depose(cluster)],
    ["coup", maybe(0.3), () => coup(cluster)],
    ["hand over", maybe(0.3), () => handOver(cluster)],
    ["heal", 0.1, () => network.heal()],
    ["crash", maybe(0.3), () => cluster.crash(node())],
    ["restart", 0.5, () => cluster.restart(node())],
    ["change", maybe(0.2), () => operator.change()],
    ["erase", maybe(0.3), () => erase(cluster)],
    ["late answers", maybe(0.3), () => answerLate(cluster)],
    ["rump", maybe(0.3), () => electRump(cluster)],
    ["split", maybe(0.3), () => splitJoint(cluster)],
    ["return", maybe(0.3), () => comeBack(cluster)],
  ];
}

/** A fast network and fast disks, and an operator who never rests. */
function drawChurn(cluster: Cluster): Action[] {
  const { random, network, operator } = cluster;
  const some = (weight: number): number => (random.chance(0.7) ? weight * random.next() : 0);
  const node = (): SimNode => cluster.someNode();
  return [
    ["pass", 10, () => pass(cluster)],
    ["deliver", some(10), () => cluster.deliver()],
    ["wait", 1, () => cluster.tick(random.integer(1, 60))],
    ["write", 3, () => cluster.writeSome(cluster.newestLeader() ?? node())],
    ["read", 2, () => (cluster.someLeader() ?? node()).read(cluster.somePolicy())],
    ["read anywhere", 1, () => node().read(cluster.somePolicy())],
    ["cut", some(0.5), () => partition(cluster)],
    ["heal", 0.3, () => network.heal()],
    ["crash", some(1), () => cluster.crash(node())],
    ["crash of an installation", some(6), () => crashInstalling(cluster)],
    ["restart", 0.6, () => cluster.restart(node())],
    ["resume", 0.3, () => node().stall(null)],
    ["elect", some(0.3), () => node().step({ type: "elect" })],
    ["wipe", some(0.8), () => operator.wipe()],
    ["stall", some(0.2), () => operator.stall()],
    ["configure", some(0.3), () => operator.configure()],
    ["snapshot", some(2), () => node().takeSnapshot()],
    ["purge", some(1), () => operator.purge()],
    ["offer", some(0.3), () => operator.offerSnapshot()],
    ["change", 1 + some(3), () => operator.change()],
    ["transfer", some(1.5), () => operator.transfer()],
    ["split", some(0.2), () => splitJoint(cluster)],
    ["return", some(0.2), () => comeBack(cluster)],
    ["leave behind", some(0.5), () => leaveBehind(cluster)],
  ];
}
