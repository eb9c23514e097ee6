import type { NodeId } from "@seshat/common";
import { InvalidValueError, OverloadedError, UnknownOutcomeError, UnreachableError } from "@seshat/common";
import type { Address } from "../address.js";
import type { GrpcConfig } from "../config.js";
import { OpenCalls } from "../open-calls.js";
import { FORWARD_PATH } from "../service.js";
import type { TlsOptions } from "../tls.js";
import { errorFromBytes } from "../wire/errors.js";
import type { Item } from "../wire/items.js";
import { ERROR, ItemReader, MAX_BATCH_BYTES, PAYLOAD, itemLength, writeItems } from "../wire/items.js";
import type { LinkEvents } from "./lane.js";
import type { Introduction } from "./peer-stream.js";
import { PeerStream } from "./peer-stream.js";

/** Where a link leads, and how. */
export interface ForwardLinkParts extends LinkEvents {
  readonly target: NodeId;
  readonly address: Address;
  readonly tls: TlsOptions | undefined;
  readonly config: GrpcConfig;
}

interface Call extends Item {
  /** What it takes of a message, in bytes. */
  readonly length: number;
  answered(payload: Uint8Array): void;
  failed(error: Error): void;
}

/**
 * The calls of an application on one stream. They wait here until the peer has taken the stream, and then until those before them are out of this
 * process: of a call that still waits when the stream ends it is certain that nobody heard of it.
 */
export class ForwardLink {
  readonly #parts: ForwardLinkParts;
  readonly #stream: PeerStream;
  /** All that have no answer. */
  readonly #calls = new OpenCalls<Call>((id, call) => this.#expired(id, call));
  /** Those of them that were not handed over yet, in their order. */
  readonly #waiting = new Map<number, Call>();
  /** Of all that have no answer, and of what is on its way out. */
  #bytes = 0;
  /** Of those in the message on its way out that nobody waits for any more. */
  #givenUp = 0;
  /** Those in the message on its way out. */
  #leaving: ReadonlySet<Call> = NONE;
  #isConnected = false;
  #isScheduled = false;

  constructor(parts: ForwardLinkParts, introduction: Introduction) {
    this.#parts = parts;
    this.#stream = new PeerStream(
      { ...parts, path: FORWARD_PATH, maxBytes: parts.config.maxMessageBytes },
      introduction,
      {
        connected: () => {
          this.#isConnected = true;
          this.#flush();
        },
        received: (message) => this.#receive(message),
        ended: (error) => this.#ended(error),
      },
    );
  }

  /**
   * Sends a call. `answered` or `failed` is called once, and not within this call.
   *
   * @throws when there is no room for it: then it is not sent.
   */
  send(payload: Uint8Array, timeoutMs: number, outcome: Pick<Call, "answered" | "failed">): void {
    const { maxMessageBytes, maxInFlightBytes, maxInFlightRequests } = this.#parts.config;
    if (this.#calls.size >= maxInFlightRequests) {
      throw new OverloadedError("forwarded calls", maxInFlightRequests);
    }
    const item: Item = { id: this.#calls.nextId(), field: PAYLOAD, bytes: payload };
    const length = itemLength(item);
    if (length > maxMessageBytes) {
      throw new InvalidValueError(
        "payload",
        `${payload.length} bytes`,
        `a little less than ${maxMessageBytes} bytes (maxMessageBytes)`,
      );
    }
    if (this.#bytes > 0 && this.#bytes + length > maxInFlightBytes) {
      throw new OverloadedError("bytes of forwarded calls", maxInFlightBytes);
    }
    const call: Call = { ...item, ...outcome, length };
    this.#bytes += length;
    this.#calls.add(call.id, timeoutMs, call);
    this.#waiting.set(call.id, call);
    this.#schedule();
  }

  /** Ends the link. */
  end(error: Error): void {
    this.#stream.end(error);
  }

  /** What is sent in one turn goes together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Hands over what waits, in its order, one message after the other. */
  #flush(): void {
    if (!this.#isConnected || this.#leaving.size > 0 || this.#waiting.size === 0) return;
    const batch = new Set<Call>();
    let length = 0;
    for (const call of this.#waiting.values()) {
      if (length > 0 && length + call.length > MAX_BATCH_BYTES) break;
      batch.add(call);
      length += call.length;
      this.#waiting.delete(call.id);
    }
    this.#leaving = batch;
    this.#stream.write(writeItems(batch, length), () => {
      this.#leaving = NONE;
      this.#bytes -= this.#givenUp;
      this.#givenUp = 0;
      this.#flush();
    });
  }

  #receive(message: Buffer): void {
    try {
      const items = new ItemReader(message);
      for (let item = items.next(); item !== null; item = items.next()) this.#answered(item);
      this.#parts.answered();
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.#stream.over(`an answer makes no sense: ${why}`, thrown);
    }
  }

  #answered({ id, field, bytes }: Item): void {
    // Nobody has heard of it, so nobody can answer.
    if (this.#waiting.has(id)) throw new InvalidValueError("answer.id", id, "the id of a call that was sent");
    const error = field === ERROR ? errorFromBytes(bytes) : null;
    const call = this.#calls.take(id);
    // It came too late.
    if (call === undefined) return;
    this.#bytes -= call.length;
    if (error === null) call.answered(bytes);
    else call.failed(error);
  }

  #expired(id: number, call: Call): void {
    if (this.#waiting.delete(id)) {
      this.#bytes -= call.length;
      call.failed(new UnreachableError(this.#parts.target, "the call could not be sent in time"));
      return;
    }
    // What is not out of this process takes room in it.
    if (this.#leaving.has(call)) this.#givenUp += call.length;
    else this.#bytes -= call.length;
    call.failed(new UnknownOutcomeError(`node ${this.#parts.target} did not answer in time`));
  }

  #ended(error: Error): void {
    for (const call of this.#calls.takeAll()) {
      call.failed(
        this.#waiting.has(call.id)
          ? error
          : new UnknownOutcomeError(`the connection to node ${this.#parts.target} was lost`, {
              cause: error,
            }),
      );
    }
    this.#waiting.clear();
    this.#parts.ended(error);
  }
}

const NONE: ReadonlySet<Call> = new Set();
