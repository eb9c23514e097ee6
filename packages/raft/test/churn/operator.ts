import type { BasicNode, NodeId } from "@seshat/common";
import { isJoint, isVoter, learnerIds, voterIds } from "@seshat/common";
import type { ChangeMembershipOptions } from "../../src/membership-options.js";
import type { SeededRandom } from "../../src/testing.js";
import type { Fleet, Running } from "./fleet.js";
import { POOL, codeOf } from "./fleet.js";
import type { Change, Node, Operation } from "./operations.js";
import { CHANGE_TIMEOUT_MS, operationsOf } from "./operations.js";

/**
 * An operator who changes the membership at random, and mends it where a node has moved or lost its disk. It never leaves the cluster
 * with a majority that cannot come back, as nobody should: while a member is lost for good, it does nothing but mend that.
 */
export class Operator {
  /** Changes of the membership that are on their way. */
  changing = 0;
  /** True while no further change is to begin. */
  held = false;
  /** Called when a change begins, now and then. */
  disturb: () => void = () => {};
  readonly #fleet: Fleet;
  readonly #random: SeededRandom;
  readonly #operations: readonly Operation[];
  readonly #totalWeight: number;

  constructor(fleet: Fleet, random: SeededRandom) {
    this.#fleet = fleet;
    this.#random = random;
    this.#operations = operationsOf(fleet, random);
    this.#totalWeight = this.#operations.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** Goes on for ever, one operation after another. Several of these may run. */
  async work(meanPauseMs: number, mayWork: () => Promise<void>): Promise<never> {
    for (;;) {
      await this.#fleet.pause(meanPauseMs, this.#random);
      await mayWork();
      await this.#operate();
    }
  }

  /** Mends what is lost, for ever. Goes on when nothing else may. */
  async mend(): Promise<never> {
    for (;;) {
      await this.#fleet.pause(1500, this.#random);
      const leader = this.#fleet.leader();
      if (leader !== undefined) await this.#mend(leader.raft);
    }
  }

  /** True while a member is lost, so that nothing but mending is to be done. */
  anybodyLost(): boolean {
    const { erased, blank } = this.#fleet;
    if (erased.size > 0 || blank.size > 0) return true;
    const nodes = this.#fleet.leader()?.raft.metrics().membership.membership.nodes;
    return nodes !== undefined && [...nodes.keys()].some((id) => this.#fleet.hasMoved(id));
  }

  async #operate(): Promise<void> {
    const node = this.#pick();
    if (node === undefined) return;
    let at = this.#random.next() * this.#totalWeight;
    const operation = this.#operations.find(({ weight }) => (at -= weight) < 0) as Operation;
    if (operation.changes && (this.held || this.anybodyLost())) return;
    const { raft } = node;
    const metrics = raft.metrics();
    const { membership } = metrics.membership;
    const voters = voterIds(membership);
    const learners = learnerIds(membership);
    const outsiders = POOL.filter((id) => !membership.nodes.has(id));
    const changingBefore = this.changing;
    if (operation.changes) this.changing += 1;
    if (operation.changes && this.#random.chance(0.25)) this.disturb();
    const done = await this.#count(operation.name, raft.id, () =>
      operation.run({ raft, metrics, voters, learners, outsiders }),
    );
    if (operation.changes) this.changing -= 1;
    if (done && operation.name.startsWith("transfer") && changingBefore > 0) {
      this.#fleet.coverage.add("operator transfer while changing: done");
    }
  }

  /** @returns true when it was done. */
  async #count(
    name: string,
    on: NodeId,
    start: () => Promise<unknown> | undefined,
    who = "operator",
  ): Promise<boolean> {
    const { coverage } = this.#fleet;
    try {
      const started = start();
      if (started === undefined) return false;
      this.#fleet.note(`${who} begins: ${name}`);
      await this.#fleet.call(name, on, started);
      coverage.add(`${who} ${name}: done`);
      this.#fleet.note(`${who} has done: ${name}`);
      return true;
    } catch (error) {
      const code = codeOf(error);
      coverage.add(`${who} ${name}: ${code}`);
      if (!name.startsWith("transfer")) coverage.add(`any change: ${code}`);
      this.#fleet.note(`${who} failed at: ${name}: ${(error as Error).message}`);
      return false;
    }
  }

  async #mend(raft: Node): Promise<void> {
    const { membership } = raft.metrics().membership;
    for (const [id, incarnation] of this.#fleet.erased) {
      // Removed, or voting from its new store: either way the old one is forgotten.
      const settled = this.#fleet.settledMembership()?.membership;
      if (settled !== undefined && !isJoint(settled) && settled.incarnations.get(id) !== incarnation) {
        this.#fleet.erased.delete(id);
        continue;
      }
      if (!isVoter(membership, id)) continue;
      const retain = this.#random.chance(0.5);
      await this.#change(
        retain ? "demote erased voter" : "remove erased voter",
        raft,
        { type: "removeVoters", ids: [id] },
        { retain },
      );
      return;
    }
    for (const id of this.#fleet.blank) {
      if (!membership.nodes.has(id) || this.#isAsFarAs(raft, id)) this.#fleet.blank.delete(id);
    }
    const moved = [...membership.nodes.keys()].filter((id) => this.#fleet.hasMoved(id));
    if (moved.length === 0) return;
    const nodes = moved.map((id): [NodeId, BasicNode] => [id, this.#fleet.where(id)]);
    await this.#change("set address", raft, { type: "setNodes", nodes }, {});
  }

  #isAsFarAs(leader: Node, id: NodeId): boolean {
    const metrics = this.#fleet.running.get(id)?.raft.metrics();
    if (metrics === undefined || metrics.currentLeader !== leader.id) return false;
    return metrics.committed.index > 0 && metrics.committed.index >= leader.metrics().committed.index - 5;
  }

  async #change(name: string, raft: Node, change: Change, options: ChangeMembershipOptions): Promise<void> {
    this.changing += 1;
    await this.#count(
      name,
      raft.id,
      () => raft.changeMembership(change, { ...options, timeoutMs: CHANGE_TIMEOUT_MS }),
      "repair",
    );
    this.changing -= 1;
  }

  #pick(): Running | undefined {
    const leader = this.#fleet.leader();
    if (leader !== undefined && this.#random.chance(0.93)) return leader;
    return this.#any([...this.#fleet.running.values()]);
  }

  #any<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.#random.integer(0, items.length - 1)];
  }
}
