import type {
  AsyncRuntime,
  Membership,
  NodeId,
  RaftTypeConfig,
  RequestHeader,
  ResponseHeader,
  StoreIdentity,
} from "@seshat/common";
import {
  ForeignNodeError,
  ForeignStoreError,
  InvalidValueError,
  checkInteger,
  checkNodeId,
} from "@seshat/common";
import type { RaftStorage } from "@seshat/storage";
import { storageFailure } from "./failure.js";

/**
 * Whose store this is. A new one is marked with this node, this cluster and an incarnation drawn at random, before anything else is
 * written to it.
 *
 * @throws {ForeignStoreError} when it belongs to another node or cluster.
 * @throws {StorageError} when it cannot be read or marked.
 */
export async function claimStore<C extends RaftTypeConfig>(
  storage: RaftStorage<C>,
  nodeId: NodeId,
  clusterId: string,
  runtime: AsyncRuntime,
): Promise<StoreIdentity> {
  const found = await attempt("read identity", async () => checkStored(await storage.readIdentity()));
  if (found === null) {
    // 53 bits from two draws: one draw may have fewer.
    const high = Math.floor(runtime.random() * 2 ** 26);
    const low = Math.floor(runtime.random() * 2 ** 27);
    const incarnation = Math.max(1, high * 2 ** 27 + low);
    const identity = { clusterId, nodeId, incarnation };
    await attempt("save identity", () => storage.saveIdentity(identity));
    return identity;
  }
  if (found.clusterId !== clusterId) throw new ForeignStoreError("clusterId", found.clusterId, clusterId);
  if (found.nodeId !== nodeId) throw new ForeignStoreError("nodeId", String(found.nodeId), String(nodeId));
  return found;
}

function checkStored(found: StoreIdentity | null): StoreIdentity | null {
  if (found !== null) checkInteger("stored incarnation", found.incarnation, 1);
  return found;
}

async function attempt<T>(verb: "read identity" | "save identity", call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw storageFailure(verb, thrown);
  }
}

/** Says to peers who this node is, and checks who they are. */
export class Passport {
  /** On every answer of this node. */
  readonly response: ResponseHeader;
  readonly #identity: StoreIdentity;
  readonly #membership: () => Membership<unknown>;
  readonly #requests = new Map<NodeId, RequestHeader>();

  /** @param membership the one in force. */
  constructor(identity: StoreIdentity, membership: () => Membership<unknown>) {
    this.#identity = identity;
    this.#membership = membership;
    this.response = { from: identity.nodeId, incarnation: identity.incarnation };
  }

  /** For a request to `to`. */
  request(to: NodeId): RequestHeader {
    const toIncarnation = this.#recorded(to);
    const cached = this.#requests.get(to);
    if (cached !== undefined && cached.toIncarnation === toIncarnation) return cached;
    const { clusterId, nodeId: from, incarnation } = this.#identity;
    const header = { clusterId, from, incarnation, to, toIncarnation };
    this.#requests.set(to, header);
    return header;
  }

  /** Forgets about those for which `isNeeded` is false. */
  retain(isNeeded: (id: NodeId) => boolean): void {
    for (const id of this.#requests.keys()) if (!isNeeded(id)) this.#requests.delete(id);
  }

  /**
   * Checks that a request comes from a node of this cluster, and is meant for this node on this store.
   *
   * From which store it comes is not asked: the membership that this node knows may be an old one, of before the sender's store was
   * replaced, and the request is what brings it up to date. Who asks cannot break a promise; who answers can.
   *
   * @throws {InvalidValueError} when it is no header.
   * @throws {ForeignNodeError} when it is not.
   */
  checkRequest(header: RequestHeader): void {
    if (typeof header !== "object" || header === null)
      throw new InvalidValueError("header", header, "an object");
    checkNodeId("header.from", header.from);
    checkNodeId("header.to", header.to);
    checkInteger("header.incarnation", header.incarnation, 1);
    checkInteger("header.toIncarnation", header.toIncarnation, 0);
    const { clusterId, nodeId, incarnation } = this.#identity;
    if (header.clusterId !== clusterId) {
      throw new ForeignNodeError(
        `it comes from cluster ${quote(header.clusterId)}, and this is ${quote(clusterId)}`,
      );
    }
    if (header.to !== nodeId)
      throw new ForeignNodeError(`it is for node ${header.to}, and this is node ${nodeId}`);
    if (header.from === nodeId) throw new ForeignNodeError(`its sender has the id of this node, ${nodeId}`);
    if (header.toIncarnation !== 0 && header.toIncarnation !== incarnation) {
      throw new ForeignNodeError(
        `it is for node ${nodeId} on another store: this one is new, so remove the node from the cluster and add it again`,
      );
    }
  }

  /**
   * Checks that a request speaks for its sender.
   *
   * @throws {InvalidValueError} that names `field`.
   */
  checkAuthor(field: string, id: NodeId, header: RequestHeader): void {
    if (id !== header.from) throw new InvalidValueError(field, id, `its sender, node ${header.from}`);
  }

  /**
   * Checks that the answer to a request comes from the node that was asked.
   *
   * @throws {InvalidValueError} when it is no header.
   * @throws {ForeignNodeError} when it does not.
   */
  checkResponse(header: ResponseHeader, asked: NodeId): void {
    if (typeof header !== "object" || header === null)
      throw new InvalidValueError("answer.header", header, "an object");
    checkInteger("answer.header.incarnation", header.incarnation, 1);
    if (header.from !== asked) {
      throw new ForeignNodeError(`node ${asked} was asked, and node ${String(header.from)} answered`);
    }
    this.#checkStore(asked, header.incarnation);
  }

  /** True for a member: a node that gets the log. */
  isMember(id: NodeId): boolean {
    return this.#membership().nodes.has(id);
  }

  #checkStore(id: NodeId, incarnation: number): void {
    const recorded = this.#recorded(id);
    if (recorded !== 0 && recorded !== incarnation) {
      throw new ForeignNodeError(
        `node ${id} runs on another store than the one it votes from: remove it from the cluster and add it again`,
      );
    }
  }

  #recorded(id: NodeId): number {
    return this.#membership().incarnations.get(id) ?? 0;
  }
}

function quote(clusterId: unknown): string {
  return JSON.stringify(String(clusterId).slice(0, 64));
}
