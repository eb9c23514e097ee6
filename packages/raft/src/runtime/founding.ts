import type {
  AsyncRuntime,
  NodeId,
  RaftTypeConfig,
  RequestHeader,
  RpcResponse,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";
import { AlreadyInitializedError, TimeoutError, ZERO_LOG_ID } from "@seshat/common";
import { checkVoteResponse } from "../check-message.js";
import type { RaftNetwork, RaftNetworkFactory } from "../network/raft-network.js";
import { toError } from "./failure.js";
import type { Passport } from "./identity.js";
import { withPatience } from "./patience.js";

/** What a founder needs to ask the others. */
export interface FoundingParts<C extends RaftTypeConfig> {
  readonly network: RaftNetworkFactory<C>;
  readonly passport: Passport;
  readonly clock: AsyncRuntime;
  /** How long an answer may take, and how long to wait before the next attempt. */
  readonly rpcTimeoutMs: number;
  readonly pauseMs: number;
  /** Asks this node itself for its vote of term 0. */
  ownVote(): Promise<VoteResponse>;
  /** Aborted, with the reason, when this node stops. */
  readonly stop: AbortSignal;
}

/** A question to one founder: over a connection to another, or to this node itself. */
type Question<C extends RaftTypeConfig> = (
  network: RaftNetwork<C>,
  header: RequestHeader,
) => Promise<RpcResponse<VoteResponse>>;

/**
 * Makes sure that this node, and no other, founds a cluster with `founders`. It first asks all others whether they are as new as this one, by
 * a pre-vote for the first term, which only a node without term and log grants, and which promises nothing. Then it asks everybody,
 * itself included, for the vote of term 0: the founding entry is the one entry of that term, and its writer is elected by all founders. So of two
 * foundings that have a node in common one gets no further. Votes are asked for in the order of ids: of several that are asked
 * at once one gets the first vote that they compete for, and nobody waits for a node that waits for it.
 *
 * @returns the stores, by founder, without this node's own: the founding entry names them, so that no node
 *   that ever replays it takes an erased founder for the one that founded.
 * @throws {AlreadyInitializedError} when one of them belongs to a cluster already.
 * @throws {TimeoutError} when one of them does not answer in time, or founds with another node; it says what was wrong at last.
 */
export async function askFounders<C extends RaftTypeConfig>(
  parts: FoundingParts<C>,
  self: NodeId,
  founders: readonly (readonly [NodeId, C["Node"]])[],
  timeoutMs: number,
): Promise<[NodeId, number][]> {
  const over = new AbortController();
  const stopped = (): void => over.abort(parts.stop.reason);
  if (parts.stop.aborted) stopped();
  parts.stop.addEventListener("abort", stopped, { once: true });
  const deadline = parts.clock.now() + timeoutMs;
  const questions = founders.map(
    ([id, node]) => new FounderQuestion<C>(parts, self, id, node, over.signal, deadline, timeoutMs),
  );
  try {
    await Promise.all(questions.filter(({ id }) => id !== self).map((question) => question.preVote()));
    const stores: [NodeId, number][] = [];
    const last = Math.max(...questions.map(({ id }) => id));
    for (const question of questions.sort((a, b) => a.id - b.id)) {
      // Nobody is asked after it: the founding entry says as much as the vote.
      if (question.id === self && self === last) continue;
      const store = await question.vote();
      if (question.id !== self) stores.push([question.id, store]);
    }
    return stores;
  } finally {
    // One that failed ends the questions to the others.
    over.abort(new Error("the founding is over"));
    parts.stop.removeEventListener("abort", stopped);
  }
}

class FounderQuestion<C extends RaftTypeConfig> {
  readonly id: NodeId;
  readonly #parts: FoundingParts<C>;
  readonly #self: NodeId;
  readonly #node: C["Node"];
  readonly #over: AbortSignal;
  readonly #deadline: number;
  readonly #timeoutMs: number;

  constructor(
    parts: FoundingParts<C>,
    self: NodeId,
    id: NodeId,
    node: C["Node"],
    over: AbortSignal,
    deadline: number,
    timeoutMs: number,
  ) {
    this.#parts = parts;
    this.#self = self;
    this.id = id;
    this.#node = node;
    this.#over = over;
    this.#deadline = deadline;
    this.#timeoutMs = timeoutMs;
  }

  /** Waits until the founder would vote for this node in the first term. */
  preVote(): Promise<number> {
    const request = { term: 1, candidateId: this.#self, lastLogId: ZERO_LOG_ID };
    return this.#ask("it has a log", (network, header) => network.preVote({ ...request, header }));
  }

  /** Waits for the founder's vote of term 0. @returns its store. */
  vote(): Promise<number> {
    const refused = "it has a log, or founds with another node";
    if (this.id === this.#self) {
      const { passport } = this.#parts;
      return this.#poll(refused, async () =>
        this.#judge({ ...(await this.#parts.ownVote()), header: passport.response }),
      );
    }
    const request = foundingVote(this.#self);
    return this.#ask(refused, (network, header) => network.vote({ ...request, header }));
  }

  #ask(refused: string, question: Question<C>): Promise<number> {
    return this.#poll(refused, () => this.#askOnce(question));
  }

  /** @returns the store of the founder, once it agrees. */
  async #poll(refused: string, ask: () => Promise<number | null>): Promise<number> {
    const { clock } = this.#parts;
    let problem = "";
    while (clock.now() < this.#deadline) {
      if (this.#over.aborted) throw toError(this.#over.reason);
      try {
        const store = await ask();
        if (store !== null) return store;
        problem = `: ${refused}`;
      } catch (thrown) {
        if (this.#over.aborted) throw toError(this.#over.reason);
        if (thrown instanceof AlreadyInitializedError) throw thrown;
        problem = `: ${toError(thrown).message}`;
      }
      await this.#pause();
    }
    throw new TimeoutError(`the answer of founder ${this.id}${problem};`, this.#timeoutMs);
  }

  async #askOnce(question: Question<C>): Promise<number | null> {
    const { network, passport, clock, rpcTimeoutMs } = this.#parts;
    let connection: RaftNetwork<C> | null = null;
    try {
      const open = network.connect(this.id, this.#node);
      connection = open;
      const header = passport.request(this.id);
      const patience = { timeoutMs: rpcTimeoutMs, signal: this.#over };
      const response = await withPatience("its answer", patience, clock, () => question(open, header));
      checkVoteResponse(response);
      passport.checkResponse(response.header, this.id);
      return this.#judge(response);
    } finally {
      connection?.close();
    }
  }

  /** @returns null when it has a log, and no term yet: it is about to have one; or when its vote is another's. */
  #judge({ term, granted, header }: RpcResponse<VoteResponse>): number | null {
    if (term > 0) throw new AlreadyInitializedError(`a fellow founder, node ${this.id}, of term ${term}`);
    return granted ? header.incarnation : null;
  }

  #pause(): Promise<void> {
    const { clock, pauseMs } = this.#parts;
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#over.removeEventListener("abort", end);
        resolve();
      };
      const timer = clock.setTimer(pauseMs, end);
      this.#over.addEventListener("abort", end, { once: true });
      if (this.#over.aborted) end();
    });
  }
}

/** Asks for the vote of term 0, with which `founder` may write its one entry. */
export function foundingVote(founder: NodeId): VoteRequest {
  return { term: 0, candidateId: founder, lastLogId: ZERO_LOG_ID, transfer: false };
}
