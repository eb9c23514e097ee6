import type { NodeId, RaftTypeConfig } from "@seshat/common";
import type { ActOf } from "./act.js";
import { cutsOf } from "./partitions.js";
import type { Scene } from "./scene.js";

/** What goes wrong with links. */
export class LinkTrouble<C extends RaftTypeConfig> {
  readonly #scene: Scene<C>;

  constructor(scene: Scene<C>) {
    this.#scene = scene;
  }

  /** Cuts some links. */
  cut({ kind, second }: ActOf<"partition" | "flap">, id: NodeId): void {
    const { network, nodes } = this.#scene.cluster;
    this.#scene.count(`partition ${kind}`);
    for (const [from, to] of cutsOf(kind, [...nodes.keys()], id, second)) network.links.cut(from, to);
  }

  /** Cuts links and mends them, again and again. */
  flap(act: ActOf<"flap">, id: NodeId, times: number = act.times): void {
    if (times <= 0) return;
    this.cut(act, id);
    this.#scene.later(act.everyMs, () => {
      this.#scene.cluster.network.links.heal();
      this.#scene.later(act.everyMs, () => this.flap(act, id, times - 1));
    });
  }

  /** Holds back what one node sends to another. */
  clog({ second, ms }: ActOf<"clog">, id: NodeId): void {
    const { network } = this.#scene.cluster;
    const others = [...this.#scene.cluster.nodes.keys()].filter((other) => other !== id);
    const other = others[Math.floor(second * others.length)];
    if (other === undefined) return;
    network.links.clog(id, other);
    this.#scene.later(ms, () => network.links.unclog(id, other));
  }

  /** A node hears late, and after a while is not heard at all. */
  slow({ slowerMs, muteAfterMs, ms }: ActOf<"slowLinks">, id: NodeId): void {
    const { network, nodes } = this.#scene.cluster;
    const others = [...nodes.keys()].filter((other) => other !== id);
    for (const other of others) network.links.slow(other, id, slowerMs);
    const isMuted = muteAfterMs !== null && muteAfterMs < ms;
    if (isMuted) {
      this.#scene.later(muteAfterMs, () => {
        for (const other of others) network.links.cut(id, other);
      });
    }
    this.#scene.later(ms, () => {
      for (const other of others) {
        network.links.slow(other, id, 0);
        if (isMuted) network.links.mend(id, other);
      }
    });
  }

  /** FoundationDB's "swizzle-clogging": nodes go one by one, and come back in another order. */
  swizzle({ clogged, released, gapMs }: ActOf<"swizzle">): void {
    const { network, nodes } = this.#scene.cluster;
    const ids = [...nodes.keys()];
    const each = (id: NodeId, use: (from: NodeId, to: NodeId) => void): void => {
      for (const other of ids) {
        if (other === id) continue;
        use(id, other);
        use(other, id);
      }
    };
    const place = (order: readonly number[], id: NodeId): number =>
      order[ids.indexOf(id) % order.length] ?? 0;
    const taken = ids
      .filter((id) => place(clogged, id) < 0.5)
      .sort((a, b) => place(clogged, a) - place(clogged, b));
    for (const [i, id] of taken.entries())
      this.#scene.later(i * gapMs, () => each(id, (from, to) => network.links.clog(from, to)));
    const back = [...taken].sort((a, b) => place(released, a) - place(released, b));
    for (const [i, id] of back.entries())
      this.#scene.later((taken.length + i) * gapMs, () =>
        each(id, (from, to) => network.links.unclog(from, to)),
      );
  }
}
