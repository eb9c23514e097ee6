import type { BytesTypeConfig, NodeId } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import type { RaftConfig } from "@seshat/raft";
import { RaftNode, until } from "@seshat/raft";
import { KeyValueStateMachine, OpenRaftMemStorage, encodeOperation } from "@seshat/storage";
import type { GrpcConfigOptions, GrpcListener, TlsOptions } from "../src/index.js";
import { grpcNetwork, listenGrpc } from "../src/index.js";
import { TcpProxy } from "./tcp-proxy.js";

/** A bound, never a wait: how long something may take on a very slow machine. */
const PATIENCE_MS = 60_000;

const utf8 = new TextEncoder();

function setCommand(key: string, value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? utf8.encode(value) : value;
  return encodeOperation({ type: "set", key: utf8.encode(key), value: bytes });
}

/** What a node of a test is told. */
export interface GrpcNodeOptions {
  readonly tls?: TlsOptions;
  readonly grpc?: GrpcConfigOptions;
  readonly raft?: Partial<RaftConfig>;
}

/** One node of a test, which others reach through a proxy that can be cut. */
export class GrpcNode implements AsyncDisposable {
  readonly id: NodeId;
  readonly kv: KeyValueStateMachine;
  readonly node: RaftNode;
  readonly listener: GrpcListener;
  readonly proxy: TcpProxy;

  private constructor(
    id: NodeId,
    kv: KeyValueStateMachine,
    node: RaftNode,
    listener: GrpcListener,
    proxy: TcpProxy,
  ) {
    this.id = id;
    this.kv = kv;
    this.node = node;
    this.listener = listener;
    this.proxy = proxy;
  }

  static async start(id: NodeId, { tls, grpc, raft }: GrpcNodeOptions = {}): Promise<GrpcNode> {
    const kv = new KeyValueStateMachine();
    const both = { codec: BYTES_CODEC, ...(tls && { tls }), ...(grpc && { config: grpc }) };
    const node = await RaftNode.start({
      id,
      storage: new OpenRaftMemStorage(kv),
      network: grpcNetwork<BytesTypeConfig>(both),
      checkInvariants: true,
      config: { electionTimeoutMinMs: 300, electionTimeoutMaxMs: 600, ...raft },
    });
    const listener = await listenGrpc<BytesTypeConfig>({ raft: node.raft, address: "127.0.0.1:0", ...both });
    return new GrpcNode(id, kv, node, listener, await TcpProxy.start(listener.address));
  }

  /** Where its peers reach it. */
  get address(): string {
    return this.proxy.address;
  }

  get(key: string): string | null {
    const value = this.kv.get(utf8.encode(key));
    return value === null ? null : new TextDecoder().decode(value);
  }

  async applied(index: number): Promise<void> {
    await this.node.raft.wait(until.applied(index), PATIENCE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.shutdown();
    await this.proxy.close();
    await this.listener.close();
  }
}

/** Founds a cluster of these nodes. */
export async function found(nodes: readonly GrpcNode[]): Promise<void> {
  const members = nodes.map((node): [NodeId, { addr: string }] => [node.id, { addr: node.address }]);
  await nodes[0]?.node.initialize(members);
}

/** The node that leads, once all agree on it. */
export async function leaderOf(nodes: readonly GrpcNode[]): Promise<GrpcNode> {
  const ids = await Promise.all(nodes.map(({ node }) => node.waitForLeader(PATIENCE_MS)));
  const leader = nodes.find(({ id }) => id === ids[0]);
  if (leader === undefined) throw new Error(`node ${ids[0]} leads, which is not among these`);
  return leader;
}

/** Writes through whoever leads, until it is done. */
export async function write(
  nodes: readonly GrpcNode[],
  key: string,
  value: string | Uint8Array,
): Promise<number> {
  for (;;) {
    const leader = nodes.find(({ node }) => node.isLeader());
    if (leader === undefined) {
      await Promise.race(nodes.map((each) => each.node.raft.wait(until.state("leader"), PATIENCE_MS)));
      continue;
    }
    try {
      const { logId } = await leader.node.clientWrite(
        { data: setCommand(key, value) },
        { timeoutMs: PATIENCE_MS },
      );
      return logId.index;
    } catch {
      // It lost the leadership in the meantime. What is set twice is set.
    }
  }
}
