import { isolate } from "../network/network.js";
import type { ProxyNetwork } from "../network/proxy-network.js";
import { sleep } from "../cluster/sleep.js";
import { PATIENCE_MS } from "../cluster/cluster.js";
import type { Scenario } from "./scenario.js";
import { moreAcknowledged, moreFailed, roles, untilNewLeader } from "./steps.js";

export const partition: Scenario = {
  name: "partition-2-1",
  what: "a follower is cut off from the other two",
  async run(scene) {
    const { cluster, load } = scene;
    const { leader, others } = await roles(scene);
    const [alone = 0, other = 0] = others;
    await isolate(cluster.network, alone, [leader.id, other]);
    await Promise.all([moreAcknowledged(load), moreFailed(load, 2)]);
  },
};

export const isolatedLeader: Scenario = {
  name: "isolated-leader",
  what: "the leader is cut off from both followers, while clients still reach it",
  async run(scene) {
    const { cluster, load } = scene;
    const { leader, others } = await roles(scene);
    await untilNewLeader(scene, leader.term, () => isolate(cluster.network, leader.id, others));
    await Promise.all([moreAcknowledged(load), moreFailed(load, 2)]);
  },
};

/** Clients that ask the old leader, and how long they do: until it has noticed what happened, and longer. */
const ASKING_CLIENTS = 4;
const ASKING_MS = 1500;

/**
 * The longest that two can lead. A leader that is cut off notices at about the time at which the others elect another. One that hands over while it hears
 * nobody has a successor at once, does not learn of it, and believes for an election timeout that it leads. Who answers reads without asking a
 * majority says what is not true any more.
 */
export const deafLeader: Scenario = {
  name: "deaf-leader",
  what: "the leader hands over, and hears nobody: while it believes that it still leads, another does, and clients ask both",
  async run(scene) {
    const { cluster, load } = scene;
    const { leader, others } = await roles(scene);
    const opened = await Promise.all(
      Array.from({ length: ASKING_CLIENTS }, () => cluster.connect(leader.id, PATIENCE_MS)),
    );
    const [operator, ...asking] = opened.filter((connection) => connection !== null);
    // It hands over to one that has all that it has: so nothing may be under way.
    const release = await load.hold();
    await cluster.caughtUp();
    await untilNewLeader(scene, leader.term, async () => {
      for (const other of others) await cluster.network.cut(other, leader.id);
      // It may never learn what came of it.
      operator?.call("SESHAT", "TRANSFER", String(others[0])).catch(() => {});
    });
    release();
    for (const end = performance.now() + ASKING_MS; performance.now() < end; await sleep(10))
      await load.readAll(asking);
    for (const connection of [operator, ...asking]) connection?.close();
    await moreAcknowledged(load);
  },
};

type Ways = readonly (readonly [from: number, to: number])[];

/** What is cut between the leader and two followers. */
interface Variant {
  readonly what: string;
  /** True where the leader cannot stay. */
  readonly endsLeader: boolean;
  readonly ways: (leader: number, one: number, two: number) => Ways;
}

const VARIANTS: readonly Variant[] = [
  {
    what: "a follower does not hear the leader",
    endsLeader: false,
    ways: (leader, one) => [[leader, one]],
  },
  {
    what: "the leader does not hear a follower",
    endsLeader: false,
    ways: (leader, one) => [[one, leader]],
  },
  {
    what: "a follower and the leader do not hear each other, and both hear the third",
    endsLeader: false,
    ways: (leader, one) => [
      [leader, one],
      [one, leader],
    ],
  },
  {
    what: "nobody hears the leader",
    endsLeader: true,
    ways: (leader, one, two) => [
      [leader, one],
      [leader, two],
    ],
  },
  {
    what: "the leader hears nobody",
    endsLeader: true,
    ways: (leader, one, two) => [
      [one, leader],
      [two, leader],
    ],
  },
];

export const asymmetricPartition: Scenario = {
  name: "asymmetric-partition",
  what: "one way between some nodes is cut, and the other is not",
  async run(scene) {
    const { cluster, load, random } = scene;
    const { leader, others } = await roles(scene);
    const [one = 0, two = 0] = others;
    const { what, endsLeader, ways } = VARIANTS[random.integer(0, VARIANTS.length - 1)] as Variant;
    scene.note(what);
    const cut = async (): Promise<void> => {
      for (const [from, to] of ways(leader.id, one, two)) await cluster.network.cut(from, to);
    };
    if (endsLeader) await untilNewLeader(scene, leader.term, cut);
    else await cut();
    await moreAcknowledged(load);
    // Long enough for elections that nobody needs.
    await sleep(random.integer(1000, 2500));
    await moreAcknowledged(load, 5);
  },
};

const LATENCY_MS = 100;

export const latency: Scenario = {
  name: "latency-100ms",
  what: "everything between nodes takes 100 ms each way, and the leader is killed",
  network: "proxies",
  async run(scene) {
    const { cluster, load } = scene;
    const network = cluster.network as ProxyNetwork;
    network.delay(LATENCY_MS);
    await moreAcknowledged(load);
    const { leader } = await roles(scene);
    await untilNewLeader(scene, leader.term, () => cluster.kill(leader.id));
    await moreAcknowledged(load);
    await cluster.start(leader.id);
    await moreAcknowledged(load, 5);
    network.delay(0);
  },
};
