import type { ServerDuplexStream } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import type { Logger, NodeId } from "@seshat/common";
import { ForeignNodeError } from "@seshat/common";
import type { TlsOptions } from "../tls.js";
import { mismatch } from "../tls.js";
import type { Connections } from "./connections.js";
import type { Introduced } from "./introduction.js";
import { readIntroduction } from "./introduction.js";
import { PeerStreams } from "./peer-streams.js";
import type { Room } from "./rooms.js";
import { Rooms } from "./rooms.js";
import { refuse } from "./served-stream.js";

/** Says why a node is not who the connection is from, or null. */
export type IdentityCheck = (from: NodeId, clusterId: string) => ForeignNodeError | null;

/** Makes what serves a stream, and tells when that has ended, not within this call. @throws when it is not to be served. */
export type Open = (seat: Seat) => { end(): void };

/** What a stream is served with. */
export interface Seat {
  readonly introduced: Introduced;
  readonly check: IdentityCheck;
  /** What its peer has at work by this way. */
  readonly room: Room;
  readonly ended: () => void;
}

/** The streams of a listener: each of one who is who they say. */
export class Admission {
  readonly #tls: TlsOptions | undefined;
  readonly #connections: Connections;
  readonly #logger: Logger;
  readonly #streams = new PeerStreams<{ end(): void }>();
  readonly #rooms = new Rooms();

  constructor(tls: TlsOptions | undefined, connections: Connections, logger: Logger) {
    this.#tls = tls;
    this.#connections = connections;
    this.#logger = logger;
  }

  /** @param way what goes by the stream, of which a peer may have so many. */
  admit(way: string, call: ServerDuplexStream<Buffer, Buffer>, open: Open): void {
    // An error has nobody else to listen to it.
    call.on("error", () => {});
    const peer = call.getPeer();
    const check = this.#checkOf(call);
    try {
      const introduced = readIntroduction(call);
      const { from, clusterId } = introduced;
      const foreign = check(from, clusterId);
      if (foreign !== null) throw foreign;
      const key = `${way} ${from}`;
      const room = this.#rooms.of(key);
      const ended = (): void => {
        closed();
        this.#streams.remove(key, stream);
        this.#logger.log("debug", "grpc.stream.ended", { peer: from, way });
      };
      const stream = open({ introduced, check, room, ended });
      const closed = this.#connections.opened(peer);
      this.#streams.add(key, stream);
    } catch (thrown) {
      const error = thrown as Error;
      const isForeign = error instanceof ForeignNodeError;
      this.#logger.log(isForeign ? "warn" : "debug", "grpc.stream.refused", {
        address: peer,
        way,
        error: error.message,
      });
      refuse(call, error, isForeign ? status.PERMISSION_DENIED : status.INVALID_ARGUMENT);
    }
  }

  endAll(): void {
    this.#streams.endAll();
  }

  #checkOf(call: ServerDuplexStream<Buffer, Buffer>): IdentityCheck {
    const tls = this.#tls;
    if (tls === undefined || tls.mutual === false) return () => null;
    const certificate = call.getAuthContext().sslPeerCertificate;
    return (from, clusterId) => mismatch(tls, certificate, from, clusterId);
  }
}
