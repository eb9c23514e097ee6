import type { NodeId } from "@seshat/common";
import { isVoter, voterIds } from "@seshat/common";
import type { SeededRandom } from "../../src/testing.js";
import type { DiskHabits } from "./disk.js";
import { QUICK_DISK } from "./disk.js";
import type { Fleet } from "./fleet.js";
import { POOL } from "./fleet.js";
import type { Operator } from "./operator.js";

type Fault =
  | "partition"
  | "one-way cut"
  | "crash"
  | "crash of a minority"
  | "crash of all"
  | "leaders cut off in a row"
  | "followers that forget"
  | "restart"
  | "hung disk"
  | "moved"
  | "erased member"
  | "erased outsider";

const FAULTS: readonly (readonly [Fault, number])[] = [
  ["partition", 4],
  ["one-way cut", 2],
  ["crash", 5],
  ["crash of a minority", 1],
  ["crash of all", 0.5],
  ["leaders cut off in a row", 1.5],
  ["followers that forget", 3],
  ["restart", 3],
  ["hung disk", 3],
  ["moved", 1],
  ["erased member", 2],
  ["erased outsider", 2],
];

/**
 * What goes wrong with networks, disks and processes. Each storm draws which faults there are at all, and how often: everything at once
 * would hide what only a long quiet stretch with one fault shows.
 */
export class Weather {
  readonly #fleet: Fleet;
  readonly #operator: Operator;
  readonly #random: SeededRandom;
  #faults: readonly (readonly [Fault, number])[] = [];
  #storming = false;
  #losing = false;
  /** Ends what only time is to mend, early. */
  #partitions = 0;

  constructor(fleet: Fleet, operator: Operator, random: SeededRandom) {
    this.#fleet = fleet;
    this.#operator = operator;
    this.#random = random;
    operator.disturb = () => fleet.background(this.#disturb());
  }

  /** Makes trouble, for ever, while there is a storm. Several of these may run: some faults take their time. */
  async blow(): Promise<never> {
    for (;;) {
      await this.#fleet.pause(2000, this.#random);
      if (this.#storming) await this.#strike();
    }
  }

  /** Another storm begins. */
  storm(): void {
    const random = this.#random;
    const chosen = FAULTS.filter(() => random.chance(0.7));
    this.#faults = chosen.length === 0 ? FAULTS : chosen;
    const maxLatencyMs = random.chance(0.1) ? 0 : random.integer(2, 40);
    const minLatencyMs = Math.min(maxLatencyMs, random.integer(0, 5));
    const lossRate = random.chance(0.3) ? 0 : random.next() * random.next() * 0.25;
    this.#fleet.network.setFaults({ minLatencyMs, maxLatencyMs, lossRate });
    for (const disk of this.#fleet.disks.values()) disk.habits = this.#habits();
    this.#fleet.note(
      `storm: ${this.#faults.map(([name]) => name).join(", ")}; ${minLatencyMs} to ${maxLatencyMs} ms, loss ${lossRate.toFixed(3)}`,
    );
    this.#storming = true;
  }

  /** Everything is mended that time mends. Nodes that are down come back. */
  async calm(): Promise<void> {
    this.#storming = false;
    this.#fleet.note("calm");
    this.#partitions += 1;
    this.#fleet.network.heal();
    this.#fleet.network.setFaults({ minLatencyMs: 0, maxLatencyMs: 2 });
    for (const disk of this.#fleet.disks.values()) {
      disk.habits = QUICK_DISK;
      disk.resume();
    }
    for (const { raft } of this.#fleet.running.values()) raft.configure({ elect: true });
    while (this.#fleet.busy.size > 0) await this.#fleet.sleep(10);
    for (const id of POOL) await this.#startIfDown(id);
  }

  #habits(): DiskHabits {
    const random = this.#random;
    return {
      syncMs: random.chance(0.3) ? 0 : random.integer(1, random.chance(0.3) ? 150 : 30),
      writeMs: random.chance(0.5) ? 0 : random.integer(1, 15),
      snapshotMs: random.chance(0.3) ? 0 : random.integer(1, 120),
    };
  }

  async #strike(): Promise<void> {
    const total = this.#faults.reduce((sum, [, weight]) => sum + weight, 0);
    let at = this.#random.next() * total;
    const [fault] = this.#faults.find(([, weight]) => (at -= weight) < 0) as readonly [Fault, number];
    const done = await this.#apply(fault);
    if (done) this.#fleet.coverage.add(`fault ${fault}`);
  }

  /** @returns true when it happened. */
  async #apply(fault: Fault): Promise<boolean> {
    switch (fault) {
      case "partition":
        return this.#partition();
      case "one-way cut":
        return this.#cutOneWay();
      case "crash":
        return this.#crash(1);
      case "crash of a minority": {
        const voters = this.#fleet.leader()?.raft.metrics().membership.membership.configs.at(-1)?.length ?? 1;
        return this.#crash(Math.max(1, Math.floor((voters - 1) / 2)));
      }
      case "crash of all":
        return this.#crash(POOL.length);
      case "leaders cut off in a row":
        return this.#cutOffLeaders();
      case "followers that forget":
        return this.#forgetfulFollowers();
      case "restart":
        return this.#restart();
      case "hung disk":
        return this.#hang();
      case "moved":
        return this.#alone(() => this.#move());
      case "erased member":
        return this.#alone(() => this.#eraseMember());
      case "erased outsider":
        return this.#alone(() => this.#eraseOutsider());
    }
  }

  /** Who may be lost is decided for one node at a time. */
  async #alone(lose: () => boolean | Promise<boolean>): Promise<boolean> {
    if (this.#losing) return false;
    this.#losing = true;
    try {
      return await lose();
    } finally {
      this.#losing = false;
    }
  }

  /** A change of the membership is under way: something happens in the middle of it. */
  async #disturb(): Promise<void> {
    if (!this.#storming) return;
    await this.#fleet.sleep(this.#random.integer(0, 60));
    const leader = this.#fleet.leader()?.raft.id;
    if (!this.#storming || leader === undefined) return;
    this.#fleet.coverage.add("fault in the middle of a change");
    if (this.#random.chance(0.7)) this.#partition();
    else {
      this.#fleet.crash(leader);
      this.#startLater(leader);
    }
  }

  /** One leader after another loses touch before it has told many others what is new. */
  async #cutOffLeaders(): Promise<boolean> {
    const { network } = this.#fleet;
    for (let times = this.#random.integer(2, 6); times > 0 && this.#storming; times--) {
      const leader = this.#fleet.leader()?.raft.id;
      if (leader !== undefined) {
        network.heal();
        const company = POOL.filter(() => this.#random.chance(0.25));
        const cut = [leader, ...company.filter((id) => id !== leader)];
        network.partition(
          cut,
          POOL.filter((id) => !cut.includes(id)),
        );
        this.#fleet.note(`node ${leader} leads, and is cut off with ${JSON.stringify(cut)}`);
      }
      await this.#fleet.sleep(this.#random.integer(100, 1300));
    }
    this.#healLater();
    return true;
  }

  /**
   * The disks of the followers sync nothing for a while, they crash, and go on without the leader: what they had not
   * synced counts for nothing.
   */
  async #forgetfulFollowers(): Promise<boolean> {
    const fleet = this.#fleet;
    const leader = fleet.leader()?.raft.id;
    if (leader === undefined) return false;
    const others = POOL.filter((id) => id !== leader);
    for (const id of others) fleet.disk(id).holdSyncs(1000);
    await fleet.sleep(this.#random.integer(100, 700));
    // The storm may have ended meanwhile: who is to come to rest is left alone.
    if (!this.#storming) return false;
    fleet.network.partition([leader], others);
    fleet.note(`node ${leader} is cut off, and the others forget what is not synced`);
    for (const id of others) {
      if (!fleet.running.has(id)) continue;
      fleet.crash(id);
      this.#startLater(id, 100);
    }
    await fleet.sleep(this.#random.integer(1500, 4000));
    fleet.network.heal();
    return true;
  }

  #partition(): boolean {
    const { network } = this.#fleet;
    const groups: [NodeId[], NodeId[]] = [[], []];
    const leader = this.#fleet.leader()?.raft.id;
    if (leader !== undefined && this.#random.chance(0.4)) {
      groups[0].push(leader);
      groups[1].push(...POOL.filter((id) => id !== leader));
    } else for (const id of POOL) groups[this.#random.integer(0, 1) as 0 | 1].push(id);
    network.partition(...groups);
    this.#fleet.note(`partition ${JSON.stringify(groups)}`);
    this.#healLater();
    return true;
  }

  #cutOneWay(): boolean {
    const { network } = this.#fleet;
    const from = this.#anyNode();
    for (const to of POOL) {
      if (to === from || this.#random.chance(0.4)) continue;
      if (this.#random.chance(0.5)) network.cut(from, to);
      else network.cut(to, from);
    }
    this.#fleet.note(`one-way cuts around node ${from}`);
    this.#healLater();
    return true;
  }

  #healLater(): void {
    const mine = ++this.#partitions;
    this.#fleet.background(
      this.#fleet.pause(1500, this.#random).then(() => {
        if (mine !== this.#partitions) return;
        this.#fleet.network.heal();
        this.#fleet.note("the network is whole");
      }),
    );
  }

  #anyNode(): NodeId {
    const leader = this.#fleet.leader()?.raft.id;
    if (leader !== undefined && this.#random.chance(0.35)) return leader;
    return POOL[this.#random.integer(0, POOL.length - 1)] as NodeId;
  }

  async #crash(count: number): Promise<boolean> {
    const victims = new Set<NodeId>([this.#anyNode()]);
    while (victims.size < count) victims.add(POOL[this.#random.integer(0, POOL.length - 1)] as NodeId);
    if (this.#random.chance(0.6)) {
      // So that there is something to lose.
      for (const id of victims) this.#fleet.disk(id).holdSyncs(600);
      await this.#fleet.sleep(this.#random.integer(20, 500));
    }
    for (const id of victims) if (this.#fleet.starting.has(id)) this.#fleet.crashAtStart(id);
    const up = [...victims].filter((id) => this.#fleet.running.has(id));
    for (const id of up) {
      this.#fleet.crash(id);
      this.#startLater(id);
    }
    return up.length > 0;
  }

  async #restart(): Promise<boolean> {
    const id = this.#anyNode();
    if (!this.#fleet.running.has(id)) return false;
    await this.#fleet.stop(id);
    await this.#startIfDown(id);
    return true;
  }

  #hang(): boolean {
    const id = this.#anyNode();
    const ms = this.#random.integer(100, 4000);
    this.#fleet.disk(id).hang(ms);
    this.#fleet.note(`the disk of node ${id} hangs for ${ms} ms`);
    return true;
  }

  /** It stops, and goes on at another address, which the membership does not know yet. */
  async #move(): Promise<boolean> {
    const id = this.#anyNode();
    if (!(await this.#maySpare(id))) return false;
    await this.#fleet.stop(id);
    this.#fleet.move(id);
    await this.#startIfDown(id);
    return true;
  }

  async #eraseMember(): Promise<boolean> {
    const id = this.#anyNode();
    if (!(await this.#maySpare(id))) return false;
    this.#operator.held = true;
    const settled = this.#fleet.settledMembership()?.membership;
    // A voter that has not been heard from yet is not told from another one with its id.
    const known = settled?.nodes.has(id) === true && (!isVoter(settled, id) || settled.incarnations.has(id));
    if (known) {
      const voters = isVoter(settled, id) ? voterIds(settled).filter((other) => other !== id) : [];
      if (voters.length > 1 && this.#random.chance(0.5)) await this.#eraseBesideLaggards(id, voters);
      else this.#erase(id);
    }
    this.#operator.held = false;
    return known;
  }

  /** Those who have missed something are left alone with the one that has forgotten it: together they would be a majority. */
  async #eraseBesideLaggards(id: NodeId, voters: readonly NodeId[]): Promise<void> {
    const { network } = this.#fleet;
    const rest = [...voters];
    const laggards = Array.from({ length: Math.floor((voters.length + 1) / 2) }, () => {
      return rest.splice(this.#random.integer(0, rest.length - 1), 1)[0] as NodeId;
    });
    const isLaggard = (other: NodeId): boolean => laggards.includes(other);
    network.partition(
      laggards,
      POOL.filter((other) => !isLaggard(other)),
    );
    this.#fleet.note(`nodes ${laggards.join()} are cut off`);
    await this.#fleet.sleep(this.#random.integer(500, 1500));
    network.heal();
    const together = [...laggards, id];
    network.partition(
      together,
      POOL.filter((other) => !together.includes(other)),
    );
    if (this.#fleet.running.has(id)) this.#erase(id, 50);
    await this.#fleet.sleep(this.#random.integer(1000, 3000));
    network.heal();
  }

  #erase(id: NodeId, meanMs?: number): void {
    const fleet = this.#fleet;
    const { incarnation } = fleet.disk(id);
    const voter = fleet.running.get(id)?.raft.metrics().membership.membership.incarnations.has(id) === true;
    fleet.crash(id);
    fleet.disk(id).erase();
    if (voter) fleet.erased.set(id, incarnation);
    else fleet.blank.add(id);
    fleet.note(`the disk of ${voter ? "voter" : "learner"} ${id} is erased`);
    fleet.coverage.add(voter ? "fault erased voter" : "fault erased learner");
    this.#startLater(id, meanMs);
  }

  #eraseOutsider(): boolean {
    const settled = this.#fleet.settledMembership()?.membership;
    const id = this.#anyNode();
    if (
      settled === undefined ||
      this.#operator.changing > 0 ||
      settled.nodes.has(id) ||
      !this.#fleet.running.has(id)
    ) {
      return false;
    }
    this.#fleet.crash(id);
    this.#fleet.disk(id).erase();
    this.#fleet.note(`the disk of node ${id}, no member, is erased`);
    this.#startLater(id);
    return true;
  }

  /** A member is lost for good only while nothing changes and enough others are sound: waits a little for such a moment. */
  async #maySpare(id: NodeId): Promise<boolean> {
    this.#operator.held = true;
    try {
      for (let tries = 0; tries < 40 && this.#storming; tries++) {
        if (this.#operator.changing === 0 && this.#fleet.running.has(id) && this.#fleet.canSpare(id))
          return true;
        await this.#fleet.sleep(50);
      }
      return false;
    } finally {
      this.#operator.held = false;
    }
  }

  #startLater(id: NodeId, meanMs: number = this.#random.chance(0.2) ? 2500 : 600): void {
    this.#fleet.background(this.#fleet.pause(meanMs, this.#random).then(() => this.#startIfDown(id)));
  }

  /** A node may crash while it starts; then it starts once more. */
  async #startIfDown(id: NodeId): Promise<void> {
    if (!this.#fleet.running.has(id) && !this.#fleet.busy.has(id)) await this.#fleet.start(id);
  }
}
