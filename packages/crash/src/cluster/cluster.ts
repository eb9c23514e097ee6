import { sleep } from "@seshat/chaos";
import { join } from "node:path";
import type { Plant } from "../node/plants.js";
import { NodeProcess } from "./node-process.js";
import { RoundFailure } from "./round-failure.js";

/** The voters of the cluster. */
export const NODE_IDS: readonly number[] = [1, 2, 3];
/** Another process may have taken the port of a node that is down. */
const START_ATTEMPTS = 20;

/** Three nodes in processes of their own, on loopback, each with a directory. */
export class Cluster {
  readonly #root: string;
  readonly #plant: Plant | null;
  readonly #nodes = new Map<number, NodeProcess>();
  readonly #addresses = new Map<number, string>();
  readonly #lives = new Map<number, number>();

  constructor(root: string, plant: Plant | null) {
    this.#root = root;
    this.#plant = plant;
  }

  /** Starts all nodes, on ports that are free, and founds the cluster. */
  async found(): Promise<void> {
    await Promise.all(NODE_IDS.map((id) => this.start(id)));
    await this.node(1).call("initialize", { members: [...this.#addresses] });
  }

  node(id: number): NodeProcess {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`node ${id} was never started`);
    return node;
  }

  /** Starts a node where it was before. @returns false when the process was killed before it had started. */
  async start(id: number): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const node = this.#launch(id);
      const address = await node.started;
      if (address !== null) {
        this.#addresses.set(id, address);
        return true;
      }
      if (node.output === "") return false;
      if (!node.output.includes("EADDRINUSE") || attempt === START_ATTEMPTS) {
        throw new RoundFailure("start", `node ${id} did not start: ${node.output}`);
      }
      await sleep(100);
    }
  }

  /** Begins to start a node, and does not wait. */
  #launch(id: number): NodeProcess {
    const life = (this.#lives.get(id) ?? 0) + 1;
    this.#lives.set(id, life);
    const node = new NodeProcess({
      id,
      dir: join(this.#root, String(id)),
      address: this.#addresses.get(id) ?? "127.0.0.1:0",
      life,
      plant: this.#plant,
    });
    this.#nodes.set(id, node);
    return node;
  }

  /** The node that leads, as far as those that run know. */
  async leader(): Promise<number | null> {
    for (const id of NODE_IDS) {
      const leader = await this.node(id)
        .call("leader", {})
        .catch(() => null);
      if (leader !== null) return leader;
    }
    return null;
  }

  /** Ends all processes. */
  async stop(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.kill()));
  }
}
