import type { BytesTypeConfig, LogEntry, LogLevel, NodeId, Request } from "@seshat/common";
import type { RaftConfig } from "../../src/config.js";
import type { RaftNetworkFactory } from "../../src/network/raft-network.js";
import { RaftNode } from "../../src/raft-node.js";
import type { RaftNodeOptions } from "../../src/raft-node.js";
import { InProcessNetwork, SeededRandom, VirtualClock } from "../../src/testing.js";
import { ScriptedStorage } from "./scripted-storage.js";
import { nodesFor, setCommand, text, utf8 } from "./values.js";

const LIMIT_MS = 20_000;

/** Looks at a call to a peer, and lets it through or not. */
export type Intercept = <T>(call: PeerCall, send: () => Promise<T>) => Promise<T>;

export interface PeerCall {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly rpc: "preVote" | "vote" | "appendEntries" | "installSnapshot" | "timeoutNow" | "readIndex";
  /** The entries of an `appendEntries`; none of anything else. */
  readonly entries: readonly LogEntry<Request>[];
}

/** Nodes on virtual time and an in-process network, each over a storage that outlives it. One seed decides everything. */
export class TestCluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: InProcessNetwork<BytesTypeConfig>;
  /** What the nodes logged, with the time: the history of the run. */
  readonly history: string[] = [];
  readonly ids: readonly NodeId[];
  /** What all calls between nodes go through. */
  intercept: Intercept = (_, send) => send();
  readonly #random: SeededRandom;
  readonly #config: Partial<RaftConfig>;
  readonly #storages = new Map<NodeId, ScriptedStorage>();
  readonly #nodes = new Map<NodeId, RaftNode>();

  constructor(ids: readonly NodeId[], config: Partial<RaftConfig> = {}, seed = 1) {
    this.ids = ids;
    this.#config = config;
    this.#random = new SeededRandom(seed);
    this.network = new InProcessNetwork(this.clock.runtime(this.#random.fork()));
  }

  storage(id: NodeId): ScriptedStorage {
    let storage = this.#storages.get(id);
    if (storage === undefined) {
      storage = new ScriptedStorage();
      this.#storages.set(id, storage);
    }
    return storage;
  }

  node(id: NodeId): RaftNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`node ${id} does not run`);
    return node;
  }

  /** Starts a node over its storage, or a later life of it. */
  async start(id: NodeId, options: Partial<RaftNodeOptions> = {}): Promise<RaftNode> {
    const log = (_: LogLevel, event: string, fields: object): void => {
      this.history.push(`${this.clock.now} ${event} ${JSON.stringify(fields)}`);
    };
    const node = await RaftNode.start({
      id,
      storage: this.storage(id),
      network: this.#networkOf(id),
      config: this.#config,
      runtime: this.clock.runtime(this.#random.fork()),
      logger: { log },
      checkInvariants: true,
      ...options,
    });
    this.#nodes.set(id, node);
    this.network.join(node.raft);
    return node;
  }

  async stop(id: NodeId): Promise<void> {
    const node = this.node(id);
    this.network.leave(id);
    this.#nodes.delete(id);
    await this.run(node.shutdown());
  }

  /** Takes the storage of a node that does not run away: it starts again as if it were new. */
  erase(id: NodeId): void {
    if (this.#nodes.has(id)) throw new Error(`node ${id} runs`);
    this.#storages.delete(id);
  }

  /** Starts every node and founds the cluster on the first. @returns the leader. */
  async found(): Promise<RaftNode> {
    for (const id of this.ids) await this.start(id);
    await this.run(this.node(this.ids[0] as NodeId).initialize(nodesFor(...this.ids)));
    return this.waitForLeader();
  }

  /** Moves time on until `promise` settles. */
  run<T>(promise: Promise<T>): Promise<T> {
    return this.clock.runUntilSettled(promise, LIMIT_MS);
  }

  /**
   * Moves time on until one of `among` leads and has committed an entry of its own term. A leader that was deposed and
   * has not heard of it counts: converge first, or leave it out.
   */
  async waitForLeader(among: readonly NodeId[] = this.ids): Promise<RaftNode> {
    let leader: RaftNode | undefined;
    const find = (): boolean => {
      leader = among
        .map((id) => this.#nodes.get(id))
        .find((node) => {
          if (node === undefined) return false;
          const { state, committed, term } = node.metrics();
          return state === "leader" && committed.term === term;
        });
      return leader !== undefined;
    };
    await this.clock.runUntil("a leader", find, LIMIT_MS);
    return leader as RaftNode;
  }

  /** Sets `key` on `node` and moves time on until that is done. */
  async set(node: RaftNode, key: string, value: string): Promise<void> {
    await this.run(node.propose(setCommand(key, value)));
  }

  /** Everybody but `id`. */
  others(id: NodeId): NodeId[] {
    return this.ids.filter((other) => other !== id);
  }

  get(id: NodeId, key: string): string | null {
    return text(this.storage(id).kv.get(utf8(key)));
  }

  /** Moves time on until every running node has applied what the leader has. */
  async converge(): Promise<void> {
    await this.clock.runUntil("every node to catch up", () => this.#haveConverged(), LIMIT_MS);
  }

  #haveConverged(): boolean {
    const all = [...this.#nodes.values()].map((node) => node.metrics());
    const leader = all.find(({ state }) => state === "leader");
    return (
      leader !== undefined &&
      all.every(
        ({ term, lastApplied, lastLogId, currentLeader }) =>
          term === leader.term &&
          currentLeader === leader.id &&
          lastLogId.index === leader.lastLogId.index &&
          lastApplied.index === leader.lastLogId.index,
      )
    );
  }

  #networkOf(from: NodeId): RaftNetworkFactory<BytesTypeConfig> {
    const factory = this.network.from(from);
    return {
      connect: (to, node) => {
        const peer = factory.connect(to, node);
        const call = <T>(
          rpc: PeerCall["rpc"],
          send: () => Promise<T>,
          entries: PeerCall["entries"] = [],
        ): Promise<T> => this.intercept({ from, to, rpc, entries }, send);
        return {
          preVote: (request) => call("preVote", () => peer.preVote(request)),
          vote: (request) => call("vote", () => peer.vote(request)),
          appendEntries: (request) =>
            call("appendEntries", () => peer.appendEntries(request), request.entries),
          installSnapshot: (request) => call("installSnapshot", () => peer.installSnapshot(request)),
          timeoutNow: (request) => call("timeoutNow", () => peer.timeoutNow(request)),
          readIndex: (request) => call("readIndex", () => peer.readIndex(request)),
          close: () => peer.close(),
        };
      },
    };
  }

  /** The log of a node, whole. */
  log(id: NodeId): unknown[] {
    const { log } = this.storage(id);
    return log.read(log.lastPurgedLogId.index + 1, log.lastLogId.index);
  }
}
