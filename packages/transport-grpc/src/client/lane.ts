import type { Logger, NodeId } from "@seshat/common";
import { ForeignNodeError, UnreachableError } from "@seshat/common";
import type { Address } from "../address.js";
import { formatAddress } from "../address.js";
import type { GrpcConfig } from "../config.js";
import type { TlsOptions } from "../tls.js";

/** Where a lane leads. */
export interface LaneParts {
  /** What goes there, for the log. */
  readonly way: string;
  readonly target: NodeId;
  readonly address: Address;
  readonly tls: TlsOptions | undefined;
  readonly config: GrpcConfig;
  readonly logger: Logger;
}

/** What a link tells its lane. */
export interface LinkEvents {
  /** The peer has answered. */
  answered(): void;
  /** The link is of no use any more. Told once. */
  ended(error: Error): void;
}

/** One way to a peer: the link there is, and when there may be another. It connects when something is sent, never by itself. */
export class Lane<L extends { end(error: Error): void }, H> {
  readonly #parts: LaneParts;
  readonly #make: (events: LinkEvents, hello: H) => L;
  #link: L | null = null;
  /** Attempts since a peer last answered. */
  #failures = 0;
  /** No attempt before, on the clock of `performance.now`. */
  #retryAt = 0;
  #why: Error | null = null;
  #closed = false;

  constructor(parts: LaneParts, make: (events: LinkEvents, hello: H) => L) {
    this.#parts = parts;
    this.#make = make;
  }

  /**
   * The link there is, or a new one.
   *
   * @param hello what a new link begins with.
   * @throws {UnreachableError} while it is too early for one.
   */
  link(hello: H): L {
    this.#link ??= this.#connect(hello);
    return this.#link;
  }

  /** Gives the way up, for good. */
  close(): void {
    this.#closed = true;
    this.#link?.end(new UnreachableError(this.#parts.target, "the connection was closed"));
  }

  #connect(hello: H): L {
    const { target, config } = this.#parts;
    if (this.#closed) throw new UnreachableError(target, "the connection was closed");
    if (performance.now() < this.#retryAt) throw this.#repeated();
    return this.#make(
      {
        answered: () => {
          this.#failures = 0;
        },
        ended: (error) => {
          this.#link = null;
          if (this.#closed) return;
          this.#why = error;
          const pause = Math.min(config.reconnectMaxMs, config.reconnectMinMs * 2 ** this.#failures);
          this.#failures = Math.min(this.#failures + 1, MAX_DOUBLINGS);
          this.#retryAt = performance.now() + pause;
          this.#log(error);
        },
      },
      hello,
    );
  }

  /** The error of the last attempt, for those that come before the next. */
  #repeated(): Error {
    const { target } = this.#parts;
    const why = this.#why;
    if (why instanceof ForeignNodeError) return why;
    return new UnreachableError(target, why instanceof UnreachableError ? why.why : "it does not answer", {
      cause: why,
    });
  }

  #log(error: Error): void {
    const { logger, target, way, address } = this.#parts;
    logger.log("debug", "grpc.link.ended", {
      peer: target,
      way,
      address: formatAddress(address),
      error: error.message,
    });
  }
}

const MAX_DOUBLINGS = 16;
