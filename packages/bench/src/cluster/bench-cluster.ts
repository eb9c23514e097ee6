import type { BasicNode, NodeId, RaftTypeConfig, Tracer } from "@seshat/common";
import type { EngineWatcher, RaftConfig } from "@seshat/raft";
import { Raft, until } from "@seshat/raft";
import type { RaftStateMachine, RaftStorage } from "@seshat/storage";
import type { ClosedLoop } from "../load/closed-loop.js";
import { closedLoop } from "../load/closed-loop.js";
import { TurnNetwork } from "./turn-network.js";
import type { Tally } from "./tally.js";
import { VerificationError, hashIndex } from "./tally.js";

/** A node's storage, and the tallies that say what it was given. */
export interface NodeStorage<C extends RaftTypeConfig> {
  readonly storage: RaftStorage<C>;
  readonly stateMachine: RaftStateMachine<C>;
  readonly appended: Tally;
  readonly applied: Tally;
}

/** A cluster of one process, and what it is made of. */
export interface BenchClusterOptions<C extends RaftTypeConfig> {
  readonly nodes: number;
  readonly makeStorage: () => NodeStorage<C>;
  /** Settings beside {@link BENCH_CONFIG}. */
  readonly config?: Partial<RaftConfig>;
  readonly tracer?: Tracer;
  /** Who watches the engine of a node; null for nobody. */
  readonly watcher?: (id: NodeId) => EngineWatcher | null;
  readonly runtime?: C["AsyncRuntime"];
}

/** Part of every result: nobody else says so than who proved it. */
export interface Verified {
  readonly verified: true;
}

/** How long any step of setting up or checking may take, in milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * The settings of a benchmark where they differ from those of every node. A machine that stands still for a moment, as shared
 * ones do, elects nobody. And a follower that falls behind while the others make a quorum, as it may where all of them share one
 * processor, gets every entry and never a snapshot in place of them.
 */
export const BENCH_CONFIG: Partial<RaftConfig> = {
  electionTimeoutMinMs: 30_000,
  electionTimeoutMaxMs: 60_000,
  heartbeatIntervalMs: 200,
  storageStallMs: 60_000,
  maxLogToKeepForFollowers: 10_000_000,
};

/** Nodes of one process, of which the first leads, and the proof of what they did. */
export class BenchCluster<
  C extends RaftTypeConfig & { readonly Node: BasicNode },
> implements AsyncDisposable {
  readonly nodes: readonly Raft<C>[];
  readonly leader: Raft<C>;
  readonly storages: readonly NodeStorage<C>[];
  readonly #network: TurnNetwork<C>;
  /** That the leader was elected in: it is to lead all the time. */
  readonly #term: number;
  #acknowledged = 0;
  #acknowledgedHash = 0;

  private constructor(
    nodes: readonly Raft<C>[],
    leader: Raft<C>,
    storages: readonly NodeStorage<C>[],
    network: TurnNetwork<C>,
  ) {
    this.nodes = nodes;
    this.leader = leader;
    this.storages = storages;
    this.#network = network;
    this.#term = leader.metrics().term;
  }

  /** Starts the nodes, and elects the first. */
  static async start<C extends RaftTypeConfig & { readonly Node: BasicNode }>(
    options: BenchClusterOptions<C>,
  ): Promise<BenchCluster<C>> {
    const { tracer, runtime } = options;
    const network = new TurnNetwork<C>();
    const config = { ...BENCH_CONFIG, ...options.config };
    const storages = Array.from({ length: options.nodes }, () => options.makeStorage());
    const nodes: Raft<C>[] = [];
    for (const [i, { storage, stateMachine }] of storages.entries()) {
      const id = i + 1;
      const watcher = options.watcher?.(id) ?? null;
      const raft = await Raft.create<C>({
        id,
        storage,
        stateMachine,
        network: network.from(id),
        config,
        ...(tracer === undefined ? {} : { tracer }),
        ...(runtime === undefined ? {} : { runtime }),
        ...(watcher === null ? {} : { watcher }),
      });
      network.join(raft);
      nodes.push(raft);
    }
    const [leader] = nodes as [Raft<C>];
    await leader.initialize(nodes.map(({ id }): [NodeId, C["Node"]] => [id, { addr: `node ${id}` }]));
    leader.trigger.elect();
    await leader.wait(until.leader(leader.id), PATIENCE_MS);
    return new BenchCluster(nodes, leader, storages, network);
  }

  /** Takes a node off the network: the others go on without it. */
  cutOff(id: NodeId): void {
    this.#network.leave(id);
  }

  /** Puts it back. */
  reconnect(id: NodeId): void {
    this.#network.join(this.nodes[id - 1] as Raft<C>);
  }

  /** Clients that each await one write. */
  writers(clients: number, command: () => C["D"]): ClosedLoop {
    return closedLoop(
      clients,
      () => this.leader.clientWrite(command()),
      ({ logId }) => this.acknowledge(logId.index),
    );
  }

  /** Clients that each await one call with several writes. */
  batchWriters(clients: number, batch: readonly C["D"][]): ClosedLoop {
    return closedLoop(
      clients,
      () => this.leader.clientWriteMany(batch),
      (responses) => {
        for (const { logId } of responses) this.acknowledge(logId.index);
      },
    );
  }

  /** Notes the index under which a write was acknowledged, for {@link verify}. */
  acknowledge(index: number): void {
    this.#acknowledged += 1;
    this.#acknowledgedHash = (this.#acknowledgedHash + hashIndex(index)) | 0;
  }

  /**
   * Waits until every node has appended, committed and applied everything, and proves it: all nodes the same entries in the same
   * order without a gap, and of writes exactly those that were acknowledged, each under its own index.
   *
   * @throws {VerificationError} that says what does not hold.
   */
  async verify(): Promise<Verified> {
    const last = this.leader.metrics().lastLogId;
    await Promise.all(this.nodes.map((raft) => raft.wait(until.committed(last.index), PATIENCE_MS)));
    await Promise.all(this.nodes.map((raft) => raft.wait(until.applied(last.index), PATIENCE_MS)));
    const expected = {
      index: last.index,
      writes: this.#acknowledged,
      writesHash: this.#acknowledgedHash,
      orderHash: (this.storages[0] as NodeStorage<C>).appended.orderHash,
    };
    for (const [i, { appended, applied }] of this.storages.entries()) {
      check(`node ${i + 1} appended`, appended, expected);
      check(`node ${i + 1} applied`, applied, expected);
    }
    if (this.leader.metrics().term !== this.#term)
      throw new VerificationError("the leader changed meanwhile");
    return { verified: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((raft) => raft.shutdown()));
  }
}

const CHECKED = ["index", "writes", "writesHash", "orderHash"] as const;

function check(what: string, tally: Tally, expected: Pick<Tally, (typeof CHECKED)[number]>): void {
  for (const field of CHECKED) {
    if (tally[field] !== expected[field])
      throw new VerificationError(`${what} ${field} ${tally[field]}, and not ${expected[field]}`);
  }
}
