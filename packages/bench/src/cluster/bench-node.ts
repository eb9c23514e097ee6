import type { BytesTypeConfig, NodeId, Request, Response } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import type { RaftConfig } from "@seshat/raft";
import { Raft } from "@seshat/raft";
import type { RaftStateMachine, RaftStorage, StateCapture, StateMachine } from "@seshat/storage";
import { KeyValueStateMachine, OpenRaftMemStorage } from "@seshat/storage";
import { openRocksdbKeyValueStorage } from "@seshat/storage-rocksdb";
import { grpcNetwork, listenGrpc } from "@seshat/transport-grpc";
import { startNode } from "seshat";
import type { NodeKind } from "./node-messages.js";
import { VerificationError, hashIndex } from "./tally.js";

/** What was applied, in a few numbers that two nodes can be compared by. */
export interface AppliedTally {
  /** Of the last command. */
  index: number;
  writes: number;
  /** The sum of {@link hashIndex} of the indexes. */
  writesHash: number;
}

/** A node of its own process, over gRPC. */
export interface BenchNode extends AsyncDisposable {
  readonly raft: Raft<BytesTypeConfig>;
  readonly address: string;
  readonly applied: AppliedTally;
  has(key: Uint8Array): Promise<boolean>;
}

/**
 * The settings of nodes in processes that share few processors: a process that stands still for a moment elects nobody, and nobody is given
 * up that is only slow. Snapshots are taken when a benchmark says so.
 */
const NODE_CONFIG: Partial<Omit<RaftConfig, "clusterId">> = {
  electionTimeoutMinMs: 30_000,
  electionTimeoutMaxMs: 60_000,
  heartbeatIntervalMs: 200,
  storageStallMs: 60_000,
  snapshotPolicy: { type: "never" },
};

function note(tally: AppliedTally, index: number): void {
  if (index <= tally.index) throw new VerificationError(`entry ${index} came after entry ${tally.index}`);
  tally.index = index;
  tally.writes += 1;
  tally.writesHash = (tally.writesHash + hashIndex(index)) | 0;
}

const OK: Response = { result: new Uint8Array(0), error: null };

/** Counts its commands, and has no state that a snapshot could bring. */
class CountingMachine implements StateMachine<Request, Response> {
  readonly #applied: AppliedTally;

  constructor(applied: AppliedTally) {
    this.#applied = applied;
  }

  apply(index: number): Response {
    note(this.#applied, index);
    return OK;
  }

  capture(): StateCapture {
    return { chunks: () => [] };
  }

  restore(): void {
    throw new VerificationError("a snapshot was installed in place of entries");
  }
}

/** Keys and values in memory, and a count of what was applied. */
class CountingKeys extends KeyValueStateMachine {
  readonly #applied: AppliedTally;

  constructor(applied: AppliedTally) {
    super();
    this.#applied = applied;
  }

  override apply(index: number, request: Request): Response {
    note(this.#applied, index);
    return super.apply(index, request);
  }
}

/** @param dir its store, where it has one. */
export async function startBenchNode(kind: NodeKind, id: NodeId, dir: string): Promise<BenchNode> {
  const applied: AppliedTally = { index: 0, writes: 0, writesHash: 0 };
  const address = "127.0.0.1:0";
  if (kind === "durable" || kind === "keys") {
    const keys = kind === "keys" ? new CountingKeys(applied) : null;
    const node = await startNode<BytesTypeConfig>({
      id,
      dir,
      address,
      stateMachine: keys ?? new CountingMachine(applied),
      codec: BYTES_CODEC,
      raft: NODE_CONFIG,
    });
    return {
      raft: node.raft,
      address: node.address,
      applied,
      has: async (key) => keys?.has(key) ?? false,
      [Symbol.asyncDispose]: () => node.close(),
    };
  }
  const closers = new AsyncDisposableStack();
  let halves: { storage: RaftStorage<BytesTypeConfig>; stateMachine: RaftStateMachine<BytesTypeConfig> };
  let has = async (_key: Uint8Array): Promise<boolean> => false;
  if (kind === "memory") {
    const storage = new OpenRaftMemStorage<BytesTypeConfig>(new CountingMachine(applied));
    halves = { storage, stateMachine: storage.stateMachine };
  } else {
    const store = closers.use(await openRocksdbKeyValueStorage(dir));
    halves = store;
    has = async (key) => (await store.stateMachine.get(key)) !== null;
  }
  const raft = await Raft.create<BytesTypeConfig>({
    id,
    ...halves,
    network: grpcNetwork<BytesTypeConfig>({ codec: BYTES_CODEC }),
    config: NODE_CONFIG,
  });
  closers.defer(() => raft.shutdown());
  const listener = closers.use(await listenGrpc<BytesTypeConfig>({ raft, codec: BYTES_CODEC, address }));
  return {
    raft,
    address: listener.address,
    applied,
    has,
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  };
}
