import type { BasicNode, Logger, RaftTypeConfig, RequestHeader, ResponseHeader } from "@seshat/common";
import { InvalidValueError, silentLogger } from "@seshat/common";
import type { TypeCodec } from "@seshat/common/codec";
import type { RaftNetwork, RaftNetworkFactory } from "@seshat/raft";
import { parseAddress } from "./address.js";
import { Lane } from "./client/lane.js";
import { Link } from "./client/link.js";
import type { GrpcConfig, GrpcConfigOptions } from "./config.js";
import { makeGrpcConfig } from "./config.js";
import type { Way } from "./service.js";
import { deadlineKind } from "./service.js";
import type { TlsOptions } from "./tls.js";
import { checkTls } from "./tls.js";
import type { Method, MethodCodecs, RequestOf, ResponseOf } from "./wire/methods.js";
import { methodCodecs } from "./wire/methods.js";

/** What a node reaches its peers with. */
export interface GrpcNetworkOptions<C extends RaftTypeConfig> {
  /** How commands and nodes travel: `BYTES_CODEC` of `@seshat/common/codec` where commands are bytes. The same on all nodes. */
  readonly codec: TypeCodec<C>;
  /** The address, as `host:port`, of a node as the membership describes it. Default: its `addr`. */
  readonly addressOf?: (node: C["Node"]) => string;
  /** Default: none, and everything is readable, and anybody can pass for a node. */
  readonly tls?: TlsOptions;
  readonly config?: GrpcConfigOptions;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
}

/**
 * The network of a node over gRPC: to each peer a connection for what is urgent, one for entries and one for snapshots, made when
 * something is sent. The peers listen with `listenGrpc`.
 *
 * @throws {InvalidValueError} that names the field.
 */
export function grpcNetwork<C extends RaftTypeConfig>(options: GrpcNetworkOptions<C>): RaftNetworkFactory<C> {
  const { addressOf = addrOf, tls, logger = silentLogger } = options;
  checkTls(tls);
  const config = makeGrpcConfig(options.config);
  const codecs = methodCodecs(options.codec);
  return {
    connect: (target, node) => {
      const address = parseAddress("node.addr", addressOf(node));
      const lane = (way: Way): RaftLane => {
        const parts = { way, target, address, tls, config, logger };
        return new Lane(parts, (events, header) => new Link({ ...parts, ...events }, header));
      };
      return new GrpcConnection(codecs, config, {
        control: lane("control"),
        replicate: lane("replicate"),
        snapshot: lane("snapshot"),
      });
    },
  };
}

function addrOf(node: unknown): string {
  const addr: unknown = (node as BasicNode | null)?.addr;
  if (typeof addr !== "string")
    throw new InvalidValueError("node.addr", addr, 'an address such as "10.0.0.1:7000"');
  return addr;
}

type RaftLane = Lane<Link, RequestHeader>;
type Signed<T, H> = T & { readonly header: H };

class GrpcConnection<C extends RaftTypeConfig> implements RaftNetwork<C> {
  readonly #codecs: MethodCodecs<C>;
  readonly #config: GrpcConfig;
  readonly #lanes: Readonly<Record<Way, RaftLane>>;

  constructor(codecs: MethodCodecs<C>, config: GrpcConfig, lanes: Readonly<Record<Way, RaftLane>>) {
    this.#codecs = codecs;
    this.#config = config;
    this.#lanes = lanes;
  }

  preVote(request: SignedRequest<C, "preVote">): Promise<SignedResponse<C, "preVote">> {
    return this.#call("control", "preVote", request);
  }

  vote(request: SignedRequest<C, "vote">): Promise<SignedResponse<C, "vote">> {
    return this.#call("control", "vote", request);
  }

  appendEntries(request: SignedRequest<C, "appendEntries">): Promise<SignedResponse<C, "appendEntries">> {
    return this.#call(request.entries.length === 0 ? "control" : "replicate", "appendEntries", request);
  }

  installSnapshot(
    request: SignedRequest<C, "installSnapshot">,
  ): Promise<SignedResponse<C, "installSnapshot">> {
    return this.#call("snapshot", "installSnapshot", request);
  }

  timeoutNow(request: SignedRequest<C, "timeoutNow">): Promise<SignedResponse<C, "timeoutNow">> {
    return this.#call("control", "timeoutNow", request);
  }

  readIndex(request: SignedRequest<C, "readIndex">): Promise<SignedResponse<C, "readIndex">> {
    return this.#call("control", "readIndex", request);
  }

  close(): void {
    for (const lane of Object.values(this.#lanes)) lane.close();
  }

  #call<M extends Method>(way: Way, method: M, request: SignedRequest<C, M>): Promise<SignedResponse<C, M>> {
    const codec = this.#codecs[method];
    const timeoutMs = this.#config.deadlinesMs[deadlineKind(way, method)];
    return new Promise((resolve, reject) => {
      const link = this.#lanes[way].link(request.header);
      link.send(request.header, codec.encodeRequest(request), timeoutMs, {
        answered: ({ header, body }) => resolve({ ...codec.decodeResponse(body), header }),
        failed: reject,
      });
    });
  }
}

type SignedRequest<C extends RaftTypeConfig, M extends Method> = Signed<RequestOf<C, M>, RequestHeader>;
type SignedResponse<C extends RaftTypeConfig, M extends Method> = Signed<ResponseOf<C, M>, ResponseHeader>;
