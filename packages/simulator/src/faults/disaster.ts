import type { NodeId, RaftTypeConfig } from "@seshat/common";
import { voterIds } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import type { Cluster } from "../world/cluster.js";
import type { SimNode } from "../world/sim-node.js";
import type { Operator } from "./operator.js";
import type { StoreCare } from "./store-care.js";
import { pickOf } from "./scene.js";

/** How long until an operator tries again, in milliseconds. */
const AGAIN_MS = 300;

/**
 * All nodes but one lose their stores for good, and an operator recovers the one that is left: its cluster consists of itself, and the others
 * join it as new members. Which one is left is no accident: it is one that has, on its disk, all that was committed and the latest term that there is. Of
 * another the cluster would lose what it promised, and nobody could object.
 */
export class Disaster<C extends RaftTypeConfig> {
  readonly #cluster: Cluster<C>;
  readonly #care: StoreCare<C>;
  readonly #operator: Operator<C>;
  readonly #setTimer: (delayMs: number, callback: () => void) => void;
  /** Not once everything is healed. */
  readonly #later: (delayMs: number, callback: () => void) => void;
  readonly #count: (what: string) => void;

  constructor(
    cluster: Cluster<C>,
    care: StoreCare<C>,
    operator: Operator<C>,
    setTimer: (delayMs: number, callback: () => void) => void,
    later: (delayMs: number, callback: () => void) => void,
    count: (what: string) => void,
  ) {
    this.#cluster = cluster;
    this.#care = care;
    this.#operator = operator;
    this.#setTimer = setTimer;
    this.#later = later;
    this.#count = count;
  }

  /** @param target by a number from 0 to 1 among those that can be left. @returns false when none can. */
  strike(target: number): boolean {
    if (!this.#care.isQuiet) return false;
    return pickOf(this.#survivors(), target, (node) => void this.#strike(node));
  }

  /** Those that keep all promises alone. */
  #survivors(): readonly SimNode<C>[] {
    return this.#cluster.running().filter(({ id, raft }) => {
      const { membership } = (raft as Raft<C>).metrics();
      return voterIds(membership.membership).includes(id) && this.#cluster.keepsAll(id);
    });
  }

  async #strike({ id, raft, store }: SimNode<C>): Promise<void> {
    const wanted = voterIds((raft as Raft<C>).metrics().membership.membership).length;
    const recovered = this.#care.lostMajority();
    for (const other of this.#cluster.nodes.keys()) if (other !== id) this.#cluster.wipe(other);
    this.#cluster.crash(id);
    // It is no node that runs: nothing crashes it in the middle of its disk. That its disk fails is another matter.
    store.trouble?.watch(null);
    await this.#recover(id);
    recovered();
    this.#count("disaster: recovered");
    for (const each of this.#cluster.nodes.keys()) void this.#cluster.start(each);
    this.#grow(wanted - 1);
  }

  /** Tries until it works: its disk may be in trouble. */
  async #recover(id: NodeId): Promise<void> {
    while (!(await this.#cluster.recover(id))) {
      this.#count("disaster: recovery failed");
      await new Promise<void>((resolve) => this.#setTimer(AGAIN_MS, resolve));
    }
  }

  /** Adds so many voters, as far as that can be done: a cluster that is healed comes to rest with those that it has. */
  #grow(missing: number): void {
    if (missing <= 0) return;
    this.#later(AGAIN_MS, () => {
      const next = (): void => this.#grow(missing - 1);
      const adding = this.#operator.act({ type: "addVoter" });
      if (adding === null) return next();
      adding.then(() => {
        this.#count("disaster: voter added");
        next();
      }, next);
    });
  }
}
