import type { Logger, NodeId, RaftTypeConfig, Tracer } from "@seshat/common";
import { silentLogger } from "@seshat/common";
import { Raft } from "@seshat/raft";
import type { StateMachine } from "@seshat/storage";
import type { RocksdbStorage, StoreCodec, StoreOptions } from "@seshat/storage-rocksdb";
import { openRocksdbStorage } from "@seshat/storage-rocksdb";
import type { GrpcConfigOptions, TlsOptions } from "@seshat/transport-grpc";
import { grpcNetwork, listenGrpc } from "@seshat/transport-grpc";
import { handOver } from "./hand-over.js";
import type { RaftSettings } from "./raft-settings.js";
import { PRODUCT_RAFT_SETTINGS } from "./raft-settings.js";

/** One durable node that its peers reach over the network. */
export interface NodeOptions<C extends RaftTypeConfig> {
  /** Names this node for ever. */
  readonly id: NodeId;
  /** Names the cluster, the same on all its nodes. Default `"seshat"`. */
  readonly clusterId?: string;
  /** The directory of its store; it is made where it is missing. One process at a time. */
  readonly dir: string;
  /** Where to listen for peers, as `host:port`. Port 0 takes any that is free. */
  readonly address: string;
  /** What is replicated; nothing has been applied to it yet. */
  readonly stateMachine: StateMachine<C["D"], C["R"]>;
  /** How commands and nodes are written as bytes, on disk and on the way. The same on all nodes. */
  readonly codec: StoreCodec<C>;
  /** What a command counts in bytes. Default: as `RaftOptions.sizeOf`. */
  readonly sizeOf?: (data: C["D"]) => number;
  /** Default: none, and whoever reaches `address` can pass for a node. */
  readonly tls?: TlsOptions;
  /** Settings of Raft, in place of those of {@link PRODUCT_RAFT_SETTINGS}. */
  readonly raft?: RaftSettings;
  /** Settings of the network. */
  readonly grpc?: GrpcConfigOptions;
  /** Serves what other nodes ask for by a `grpcForwarder`. Default: that is refused. */
  readonly forwarding?: (payload: Uint8Array, from: NodeId) => Promise<Uint8Array>;
  /** Settings of the store. */
  readonly store?: Pick<StoreOptions, "writeBufferBytes" | "stallMs">;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: none. */
  readonly tracer?: Tracer;
}

/** A node that runs. */
export interface RunningNode<C extends RaftTypeConfig> extends AsyncDisposable {
  readonly raft: Raft<C>;
  readonly store: RocksdbStorage<C>;
  /** Where its peers reach it: `host:port`, with the port that was taken. */
  readonly address: string;
  /**
   * Hands the leadership over if it leads and another voter can take it, settles what waits, and lets go of port and store. Once it
   * has ended another process may start on the same directory.
   *
   * Another voter has 3 seconds to take over; a leader whose peers are gone waits for nobody longer than it takes to notice that, which is
   * `electionTimeoutMaxMs`.
   */
  close(): Promise<void>;
}

/**
 * Starts a node from what its directory holds: a new one waits for `raft.initialize`, or to be made a member of a cluster; one that
 * was a member goes on where it was.
 *
 * @throws {InvalidValueError} when an option is none; it names the field.
 * @throws {UnusableStoreError} when the store cannot be opened; `reason` says why.
 * @throws {ForeignStoreError} when the store belongs to another node or cluster.
 * @throws The error of the system when it cannot listen at `address`.
 */
export async function startNode<C extends RaftTypeConfig>(options: NodeOptions<C>): Promise<RunningNode<C>> {
  const { id, dir, codec, logger = silentLogger, tls, grpc } = options;
  const clusterId = options.clusterId ?? "seshat";
  const network = { codec, logger, ...(tls && { tls }), ...(grpc && { config: grpc }) };
  const store = await openRocksdbStorage<C>(dir, {
    ...options.store,
    stateMachine: options.stateMachine,
    codec,
    clusterId,
    nodeId: id,
  });
  // Closed in reverse order, whatever fails.
  const closers: (() => Promise<void>)[] = [() => store.close()];
  try {
    const raft = await Raft.create<C>({
      id,
      storage: store.storage,
      stateMachine: store.stateMachine,
      network: grpcNetwork<C>(network),
      config: { ...PRODUCT_RAFT_SETTINGS, ...options.raft, clusterId },
      logger,
      ...(options.sizeOf && { sizeOf: options.sizeOf }),
      ...(options.tracer && { tracer: options.tracer }),
    });
    closers.push(() => raft.shutdown());
    const { forwarding } = options;
    const listener = await listenGrpc<C>({
      ...network,
      raft,
      address: options.address,
      ...(forwarding && {
        forwarding: { clusterId, nodeId: id, handle: (from, payload) => forwarding(payload, from) },
      }),
    });
    closers.push(
      () => listener.close(),
      () => handOver(raft, logger),
    );
    let closing: Promise<void> | null = null;
    const close = (): Promise<void> => (closing ??= closeAll(closers));
    logger.log("info", "node.started", { node: id, clusterId, address: listener.address });
    return { raft, store, address: listener.address, close, [Symbol.asyncDispose]: close };
  } catch (thrown) {
    // Why it cannot start matters more than what comes of closing the rest.
    await closeAll(closers).catch(() => {});
    throw thrown;
  }
}

/** @throws the first error, once all were called. */
async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closers.splice(0).reverse()) {
    await close().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw errors[0];
}
