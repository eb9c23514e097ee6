import type { Logger, NodeId, RequestHeader } from "@seshat/common";
import { ForeignNodeError, UnreachableError } from "@seshat/common";
import type { Address } from "../address.js";
import { formatAddress } from "../address.js";
import type { GrpcConfig } from "../config.js";
import type { Way } from "../service.js";
import type { TlsOptions } from "../tls.js";
import type { RequestBody } from "../wire/methods.js";
import type { Answer } from "./link.js";
import { Link } from "./link.js";

/** Where a lane leads. */
export interface LaneParts {
  readonly way: Way;
  readonly target: NodeId;
  readonly address: Address;
  readonly tls: TlsOptions | undefined;
  readonly config: GrpcConfig;
  readonly logger: Logger;
}

/** One way to a peer: the link there is, and when there may be another. It connects when something is sent, never by itself. */
export class Lane {
  readonly #parts: LaneParts;
  #link: Link | null = null;
  /** Attempts since a peer last answered. */
  #failures = 0;
  /** No attempt before, on the clock of `performance.now`. */
  #retryAt = 0;
  #why: Error | null = null;
  #closed = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /**
   * Sends a request.
   *
   * @param read makes the answer of what came; throws when no correct peer can have sent it.
   * @returns what the peer answered. Rejects with the peer's error, or with an `UnreachableError`.
   */
  call<T>(
    header: RequestHeader,
    makeBody: () => RequestBody,
    timeoutMs: number,
    read: (answer: Answer) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const link = this.#link ?? this.#connect(header);
      link.send(header, makeBody(), timeoutMs, {
        answered: (answer) => resolve(read(answer)),
        failed: reject,
      });
    });
  }

  /** Gives the way up, for good. */
  close(): void {
    this.#closed = true;
    this.#link?.end(new UnreachableError(this.#parts.target, "the connection was closed"));
  }

  #connect(header: RequestHeader): Link {
    const { target, config } = this.#parts;
    if (this.#closed) throw new UnreachableError(target, "the connection was closed");
    if (performance.now() < this.#retryAt) throw this.#repeated();
    const link = new Link(
      {
        ...this.#parts,
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
      header,
    );
    this.#link = link;
    return link;
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
