import type { NodeId, RaftTypeConfig } from "@seshat/common";
import { voterIds } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import type { Cluster } from "../world/cluster.js";
import type { SimNode } from "../world/sim-node.js";
import type { OperatorAct, Target } from "./act.js";
import type { StoreCare } from "./store-care.js";
import { PATIENCE_MS } from "./store-care.js";

const OPTIONS = { timeoutMs: PATIENCE_MS };

/** Changes who belongs to a cluster. Each method returns what becomes of the change, or null when there is nothing to do. */
export class Operator<C extends RaftTypeConfig> {
  readonly #cluster: Cluster<C>;
  readonly #care: StoreCare<C>;
  readonly #setTimer: (delayMs: number, callback: () => void) => void;
  constructor(
    cluster: Cluster<C>,
    care: StoreCare<C>,
    setTimer: (delayMs: number, callback: () => void) => void,
  ) {
    this.#cluster = cluster;
    this.#care = care;
    this.#setTimer = setTimer;
  }

  act(act: OperatorAct): Promise<unknown> | null {
    // With a voter lost, one more that leaves may leave a majority that cannot be had: no operator does that.
    const isGrowth = act.type === "addVoter" || act.type === "addLearner";
    if (!this.#care.settled && !isGrowth) return null;
    const raft = this.#cluster.leader()?.raft ?? null;
    if (raft === null) return null;
    switch (act.type) {
      case "addVoter":
      case "addLearner": {
        const spare = this.#outsiders(raft)[0];
        return spare === undefined ? null : this.#care.during(this.#add(raft, spare, act.type));
      }
      case "demote":
      case "remove":
        return this.#remove(raft, act.target, act.type === "demote");
      case "replace": {
        const members = [...raft.metrics().membership.membership.nodes.keys()];
        const ids = members.filter((_, i) => (act.picks[i] ?? 0) < 0.5);
        if (ids.length === 0) return null;
        return this.#care.during(raft.changeMembership(ids, { ...OPTIONS, retain: true }));
      }
      case "reuse":
        return this.#reuse(raft, act.target);
      case "move":
        return this.#move(act.target);
    }
  }

  async #add(raft: Raft<C>, { id, address }: SimNode<C>, type: "addVoter" | "addLearner"): Promise<void> {
    await this.#cluster.start(id);
    await raft.addLearner(id, address, { ...OPTIONS, blocking: type === "addVoter" });
    if (type === "addVoter") await raft.changeMembership({ type: "addVoters", ids: [id] }, OPTIONS);
  }

  #remove(raft: Raft<C>, target: Target, retain: boolean): Promise<unknown> | null {
    const voters = voterIds(raft.metrics().membership.membership);
    const id = target === "leader" ? raft.id : voters[Math.floor(target * voters.length)];
    if (id === undefined || voters.length < 2) return null;
    return this.#care.during(
      raft.changeMembership({ type: "removeVoters", ids: [id] }, { ...OPTIONS, retain }),
    );
  }

  /** A node that left for certain comes back with an empty store, as a new member. */
  #reuse(raft: Raft<C>, target: number): Promise<unknown> | null {
    if (this.#care.expendable().length === 0) return null;
    const former = this.#outsiders(raft).filter(({ lives, latestTerm }) => lives > 0 && latestTerm > 0);
    const node = former[Math.floor(target * former.length)];
    if (node === undefined) return null;
    this.#cluster.wipe(node.id);
    return this.#care.during(this.#add(raft, node, "addVoter"));
  }

  #move(target: Target): Promise<unknown> | null {
    const voters = this.#care.expendable();
    const leader = this.#cluster.leader();
    const node = target === "leader" ? leader : voters[Math.floor(target * voters.length)];
    if (voters.length === 0 || node === undefined || node === null) return null;
    const { id } = node;
    const found = this.#care.moved(id);
    this.#cluster.move(id);
    void this.#cluster.start(id);
    return new Promise((resolve) => {
      this.#announce(id, () => {
        found();
        resolve(null);
      });
    });
  }

  /** Tells the membership where a node is, trying until it knows. */
  #announce(id: NodeId, done: () => void): void {
    const again = (): void => this.#setTimer(200, () => this.#announce(id, done));
    const raft = this.#cluster.leader()?.raft ?? null;
    const { address } = this.#cluster.node(id);
    if (raft === null) return again();
    // Who has left meanwhile is told of when it is added.
    if (!raft.metrics().membership.membership.nodes.has(id)) return done();
    this.#care
      .during(raft.changeMembership({ type: "setNodes", nodes: [[id, address]] }, OPTIONS))
      .then(done, again);
  }

  /** Nodes that are no members. */
  #outsiders(raft: Raft<C>): SimNode<C>[] {
    const { nodes } = raft.metrics().membership.membership;
    return [...this.#cluster.nodes.values()].filter(({ id }) => !nodes.has(id));
  }
}
