import type { BasicNode, LogId, NodeId, StoredMembership } from "@seshat/common";
import { isVoter } from "@seshat/common";
import type { EngineSwitches, MembershipChange, WriteExpectation } from "../../src/engine/event.js";
import type { Cluster } from "./cluster.js";
import { copyOf } from "./disk.js";
import type { SimNode } from "./sim-node.js";

/** Where a node is. */
export function place(id: NodeId): [NodeId, BasicNode] {
  return [id, { addr: `10.0.0.${id}:7000` }];
}

/** Whoever has the keys: changes the membership, moves the leadership, loses disks. What it does may be anything that an operator is allowed. */
export class Operator {
  readonly #cluster: Cluster;
  wipes = 0;
  stalls = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Asks for some change, mostly the leader; while an erased voter is among the members, for its removal. */
  change(): void {
    const cluster = this.#cluster;
    const { random } = cluster;
    const node = random.chance(0.9) ? cluster.someLeader() : cluster.someNode();
    if (node === undefined) return;
    const [erased] = this.erased();
    const change = erased === undefined ? this.#draw(2) : removal(node, erased.id);
    const expect = random.chance(0.2) ? this.#expectation(node) : undefined;
    const options = { retain: erased === undefined && random.chance(0.5), allowLagging: random.chance(0.5) };
    cluster.tell(() => `node ${node.id}: ${JSON.stringify({ change, ...options, expect })}`);
    node.change(change, expect === undefined ? options : { ...options, expect });
  }

  #draw(depth: number): MembershipChange<BasicNode> {
    const { random } = this.#cluster;
    switch (random.integer(0, depth > 0 ? 9 : 6)) {
      case 0:
        return { type: "replaceVoters", ids: this.#some(0.5) };
      case 1:
        return { type: "addVoters", ids: this.#some(0.2) };
      case 2:
        return { type: "removeVoters", ids: this.#some(0.2) };
      case 3:
        return { type: "addNodes", nodes: this.#some(0.3).map(place) };
      case 4:
        return { type: "setNodes", nodes: this.#some(0.3).map(place) };
      case 5:
        return { type: "removeNodes", ids: this.#some(0.2) };
      case 6:
        return { type: "replaceNodes", nodes: this.#some(0.7).map(place) };
      case 7: {
        const changes = Array.from({ length: random.integer(0, 3) }, () => this.#draw(depth - 1));
        return { type: "batch", changes };
      }
      default: {
        // Any set to any set, as one change.
        const ids = this.#some(0.5);
        return {
          type: "batch",
          changes: [
            { type: "addNodes", nodes: ids.map(place) },
            { type: "replaceVoters", ids },
          ],
        };
      }
    }
  }

  #some(share: number): NodeId[] {
    const ids = this.#cluster.nodes().map(({ id }) => id);
    const chosen = ids.filter(() => this.#cluster.random.chance(share));
    return chosen.length > 0 ? chosen : [this.#cluster.some(ids)];
  }

  /** What holds now, or did once, or never. */
  #expectation({ state }: SimNode): WriteExpectation {
    const { random, oracle } = this.#cluster;
    const term = state?.vote.term ?? 0;
    const inForce: LogId | undefined = state?.memberships.at(-1)?.logId;
    const membershipLogId = random.chance(0.5) ? inForce : this.#cluster.some(oracle.memberships).logId;
    return {
      ...(random.chance(0.5) ? { leaderTerm: random.chance(0.7) ? term : term + 1 } : {}),
      ...(membershipLogId === undefined ? {} : { membershipLogId }),
    };
  }

  /** Mostly a voter, perhaps one that is dead or far behind; sometimes nobody in particular, or a stranger. */
  transfer(): void {
    const cluster = this.#cluster;
    const { random } = cluster;
    const node = random.chance(0.9) ? cluster.someLeader() : cluster.someNode();
    const voters = node?.membership().membership.configs.at(-1) ?? [];
    const target =
      random.chance(0.3) || voters.length === 0
        ? null
        : random.chance(0.1)
          ? cluster.someNode().id
          : cluster.some(voters);
    node?.transferLeader(target, random.integer(10, 400));
  }

  configure(): void {
    const { random } = this.#cluster;
    const all: Partial<EngineSwitches>[] = [
      { tick: random.chance(0.7) },
      { heartbeat: random.chance(0.7) },
      { elect: random.chance(0.7) },
      { preVote: random.chance(0.5) },
      { snapshotAfterEntries: random.chance(0.3) ? null : random.integer(1, 10) },
      { snapshotAfterBytes: random.chance(0.5) ? null : random.integer(5, 50) },
    ];
    this.#cluster.someNode().configure(this.#cluster.some(all));
  }

  stall(): void {
    const node = this.#cluster.someNode();
    if (!node.up || node.hangs) return;
    this.stalls += 1;
    node.stall(this.#cluster.random.chance(0.5) ? "append" : "apply");
  }

  purge(): void {
    const { oracle, random } = this.#cluster;
    this.#cluster.someNode().step({ type: "purgeLog", upto: random.integer(0, oracle.committedIndex + 1) });
  }

  /** Brings a snapshot of one node to another. */
  offerSnapshot(): void {
    const { snapshot } = this.#cluster.someNode().disk;
    if (snapshot.applied.index > 0) this.#cluster.someNode().offer(copyOf(snapshot));
  }

  /** Erases the disk of a node, if the cluster can live with that. @returns whether it did. */
  wipe(node: SimNode = this.#cluster.someNode()): boolean {
    if (!this.#mayWipe(node)) return false;
    this.#cluster.tell(() => `node ${node.id} loses its disk`);
    this.wipes += 1;
    node.wipe();
    return true;
  }

  /** Nodes that a membership names on a store that is gone. They count for nothing until they are removed, and added again. */
  erasedVoters(named: readonly StoredMembership<unknown>[] = this.#relevant()): SimNode[] {
    return this.#cluster
      .nodes()
      .filter(({ id, disk }) =>
        named.some(
          ({ membership }) => (membership.incarnations.get(id) ?? disk.incarnation) !== disk.incarnation,
        ),
      );
  }

  /** These, and those that some leader knows by such a store, and might make voters. */
  erased(): SimNode[] {
    const voters = this.erasedVoters();
    return this.#cluster.nodes().filter((node) => {
      const { id, disk, wipes } = node;
      if (wipes === 0 || voters.includes(node)) return wipes > 0;
      const stores: (number | undefined)[] = [];
      for (const { state } of this.#cluster.leaders()) {
        if (state?.role.type === "leader") stores.push(state.role.progress.get(id)?.incarnation || undefined);
      }
      return stores.some((store) => store !== undefined && store !== disk.incarnation);
    });
  }

  /** The last committed membership, and those after it anywhere, which may come to be committed. */
  #relevant(): StoredMembership<unknown>[] {
    const { oracle } = this.#cluster;
    const committed = oracle.memberships.at(-1) as StoredMembership<unknown>;
    const found = this.#cluster.nodes().map((node) => node.membership());
    return [committed, ...found.filter(({ logId }) => logId.index > committed.logId.index)];
  }

  /**
   * One disk at a time, of three voters at least, so that the others are a majority; not while a change waits, which could make a minority
   * of them. And only a node that every membership names by its store: before that a lost disk goes unnoticed.
   */
  #mayWipe({ id }: SimNode): boolean {
    const { hosts, oracle } = this.#cluster;
    const nodes = this.#cluster.nodes();
    if (!hosts.tellStoresApart || oracle.committedIndex === 0 || this.erased().length > 0) return false;
    const waits = nodes.some(({ state }) => state?.role.type === "leader" && state.role.change !== null);
    const few = this.#relevant().some(({ membership }) =>
      membership.configs.some((config) => config.includes(id) && config.length < 3),
    );
    return !waits && !few && nodes.every((node) => namesStore(node, id));
  }
}

/**
 * True when every membership on a node's disk, and in its memory, says from which store `id` votes, if it does. Also of those that are over: who is added
 * again on an empty disk gets them all, one after another.
 */
function namesStore({ disk, state }: SimNode, id: NodeId): boolean {
  const inLog = disk.log.memberships();
  const inMemory = state?.memberships ?? [];
  return [...inLog, ...inMemory, disk.snapshot.membership].every(
    ({ membership }) => !isVoter(membership, id) || membership.incarnations.has(id),
  );
}

/** Removes a node that is a voter, or a learner. */
export function removal(node: SimNode, id: NodeId): MembershipChange<BasicNode> {
  const votes = isVoter(node.membership().membership, id);
  return votes ? { type: "removeVoters", ids: [id] } : { type: "removeNodes", ids: [id] };
}
