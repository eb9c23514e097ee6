import type {
  AppendEntriesRequest,
  NodeId,
  PreVoteRequest,
  TimeoutNowRequest,
  VoteRequest,
} from "@seshat/common";
import type { Event, ReadPolicy } from "../../src/engine/event.js";
import type { SeededRandom } from "../../src/testing/seeded-random.js";
import type { Copy } from "./disk.js";

/** A part of a snapshot. */
export interface PartRequest {
  readonly term: number;
  readonly leaderId: NodeId;
  readonly copy: Copy;
  /** Which part it is, from 0; null to ask only how far the receiver is. */
  readonly part: number | null;
  readonly parts: number;
}

export type Request =
  | { readonly type: "preVote"; readonly body: PreVoteRequest }
  | { readonly type: "vote"; readonly body: VoteRequest }
  | { readonly type: "appendEntries"; readonly seq: number; readonly body: AppendEntriesRequest }
  | { readonly type: "timeoutNow"; readonly body: TimeoutNowRequest }
  | { readonly type: "installSnapshot"; readonly seq: number; readonly body: PartRequest }
  | { readonly type: "readIndex"; readonly requestId: number; readonly policy: ReadPolicy };

/** The receiver of a snapshot has so many parts of it. It does not concern the engine. */
export interface PartsTaken {
  readonly type: "partsTaken";
  readonly seq: number;
  readonly term: number;
  readonly parts: number;
}

/** Who a message is from, and for whom. */
export interface Address {
  readonly from: NodeId;
  /** The store that the sender runs on. */
  readonly fromStore: number;
  readonly to: NodeId;
  /** The store that is meant; 0 for whichever there is. An answer is for the one that asked. */
  readonly toStore: number;
}

export type Message = Address &
  (
    | { readonly type: "request"; readonly request: Request }
    | { readonly type: "response"; readonly event: Event | PartsTaken }
  );

/** What takes the messages of a cluster. */
export interface Wire {
  send(message: Message): void;
}

/** More messages than this on their way, and old ones are lost. */
const CAPACITY = 60;

/** Messages on their way, to be delivered late, out of order, twice or never. */
export class Network implements Wire {
  readonly #random: SeededRandom;
  readonly #messages: Message[] = [];
  /** Links that lose everything, each `from * 100 + to`: one way only. */
  readonly #cut = new Set<number>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get size(): number {
    return this.#messages.length;
  }

  send(message: Message): void {
    if (this.#messages.length >= CAPACITY) this.drop();
    this.#messages.push(message);
  }

  /** Takes a message: mostly an old one, sometimes any. Undefined when there is none that gets through. */
  take(reordering: number): Message | undefined {
    const at = this.#random.chance(reordering) ? this.#random.integer(0, this.#messages.length - 1) : 0;
    const [message] = this.#messages.splice(at, 1);
    return message !== undefined && this.#cut.has(message.from * 100 + message.to) ? undefined : message;
  }

  duplicate(): void {
    const message = this.#messages[this.#random.integer(0, this.#messages.length - 1)];
    if (message !== undefined) this.send(message);
  }

  drop(): void {
    this.#messages.splice(this.#random.integer(0, this.#messages.length - 1), 1);
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(from * 100 + to);
  }

  join(from: NodeId, to: NodeId): void {
    this.#cut.delete(from * 100 + to);
  }

  heal(): void {
    this.#cut.clear();
  }
}
