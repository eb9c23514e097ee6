import type { AppendEntriesRequest, NodeId, PreVoteRequest, VoteRequest } from "@seshat/common";
import type { Event, ReadPolicy } from "../../src/engine/event.js";
import type { SeededRandom } from "../../src/testing/seeded-random.js";

export type Request =
  | { readonly type: "preVote"; readonly body: PreVoteRequest }
  | { readonly type: "vote"; readonly body: VoteRequest }
  | { readonly type: "appendEntries"; readonly seq: number; readonly body: AppendEntriesRequest }
  | { readonly type: "readIndex"; readonly requestId: number; readonly policy: ReadPolicy };

export type Message =
  | { readonly type: "request"; readonly from: NodeId; readonly to: NodeId; readonly request: Request }
  | { readonly type: "response"; readonly from: NodeId; readonly to: NodeId; readonly event: Event };

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

  heal(): void {
    this.#cut.clear();
  }
}
