import type { Logger, NodeId } from "@seshat/common";
import { InvalidValueError, checkInteger, checkNodeId, silentLogger } from "@seshat/common";
import { parseAddress } from "./address.js";
import { ForwardLink } from "./client/forward-link.js";
import { Lane } from "./client/lane.js";
import type { Introduction } from "./client/peer-stream.js";
import type { GrpcConfig, GrpcConfigOptions } from "./config.js";
import { makeGrpcConfig } from "./config.js";
import type { TlsOptions } from "./tls.js";
import { checkTls } from "./tls.js";

/** Who forwards, and how. */
export interface GrpcForwarderOptions {
  readonly clusterId: string;
  /** This node. */
  readonly nodeId: NodeId;
  /** Default: none, and everything is readable, and anybody can pass for a node. */
  readonly tls?: TlsOptions;
  readonly config?: GrpcConfigOptions;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
}

/** What may be said of a call. */
export interface ForwardCallOptions {
  /** How long its answer is waited for, in milliseconds. Default `config.deadlinesMs.forward`, which is also the most that the other side takes. */
  readonly timeoutMs?: number;
}

/** The way to one node, for what an application asks it. It connects when something is asked, over a connection of its own. */
export interface ForwardConnection {
  /**
   * Asks a node. Calls reach its `handle` in their order as long as the connection lives; a new one may overtake what was on its way over the old.
   *
   * @param payload must not be changed until it is answered.
   * @returns the answer, a part of the message it came in: copy what you keep for long. Rejects with the error of the other side, typed as it was there, or:
   * - `UnreachableError`, `ForeignNodeError`, `OverloadedError`, `InvalidValueError`: certainly not sent;
   * - `UnknownOutcomeError`: sent, or perhaps, and not answered, or not in time.
   */
  call(payload: Uint8Array, options?: ForwardCallOptions): Promise<Uint8Array>;
  /** Gives the way up, for good. What is not sent is refused, what was sent has an unknown outcome. */
  close(): void;
}

/** What a node forwards with. */
export interface GrpcForwarder {
  /**
   * Makes the way to a node; nothing is sent before the first call.
   *
   * @param address where it is, as `host:port`. Resolved at each connect.
   * @throws {InvalidValueError} that names the field.
   */
  connect(target: NodeId, address: string): ForwardConnection;
}

/**
 * Lets a node ask others on behalf of an application: a follower its leader, mostly. They answer by the `forwarding` of their `listenGrpc`.
 *
 * @throws {InvalidValueError} that names the field.
 */
export function grpcForwarder(options: GrpcForwarderOptions): GrpcForwarder {
  const { clusterId, nodeId, tls, logger = silentLogger } = options;
  if (typeof clusterId !== "string" || clusterId === "")
    throw new InvalidValueError("clusterId", clusterId, "a text that is not empty");
  checkNodeId("nodeId", nodeId);
  checkTls(tls);
  const config = makeGrpcConfig(options.config);
  return {
    connect: (target, address) => {
      checkNodeId("target", target);
      if (target === nodeId) throw new InvalidValueError("target", target, "another node");
      const parts = {
        way: "forward",
        target,
        address: parseAddress("address", address),
        tls,
        config,
        logger,
      };
      const lane = new Lane<ForwardLink, Introduction>(
        parts,
        (events, introduction) => new ForwardLink({ ...parts, ...events }, introduction),
      );
      return new LaneConnection(lane, { clusterId, from: nodeId, to: target }, config);
    },
  };
}

class LaneConnection implements ForwardConnection {
  readonly #lane: Lane<ForwardLink, Introduction>;
  readonly #introduction: Introduction;
  readonly #config: GrpcConfig;

  constructor(lane: Lane<ForwardLink, Introduction>, introduction: Introduction, config: GrpcConfig) {
    this.#lane = lane;
    this.#introduction = introduction;
    this.#config = config;
  }

  call(payload: Uint8Array, options: ForwardCallOptions = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (!(payload instanceof Uint8Array)) throw new InvalidValueError("payload", payload, "bytes");
      const { timeoutMs = this.#config.deadlinesMs.forward } = options;
      checkInteger("timeoutMs", timeoutMs, 1);
      this.#lane.link(this.#introduction).send(payload, timeoutMs, { answered: resolve, failed: reject });
    });
  }

  close(): void {
    this.#lane.close();
  }
}
