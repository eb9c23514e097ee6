import type { AsyncRuntime, NodeId, RaftTypeConfig } from "@seshat/common";
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
  /** Aborted, with the reason, when this node stops. */
  readonly stop: AbortSignal;
}

/**
 * Asks every other founder which store it runs on, and whether it is as new as this one: the founding entry names the stores, so that no node
 * that ever replays it takes an erased founder for the one that founded. The question is a pre-vote for the first term, which only
 * a node without term and log grants, and which promises nothing.
 *
 * @returns the stores, by founder, without this node's own.
 * @throws {AlreadyInitializedError} when one of them belongs to a cluster already.
 * @throws {TimeoutError} when one of them does not answer in time; it says what was wrong at last.
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
  const others = founders.filter(([id]) => id !== self);
  try {
    return await Promise.all(
      others.map(async ([id, node]): Promise<[NodeId, number]> => {
        const question = new FounderQuestion<C>(parts, self, id, node, over.signal);
        return [id, await question.ask(deadline, timeoutMs)];
      }),
    );
  } finally {
    // One that failed ends the questions to the others.
    over.abort(new Error("the founding is over"));
    parts.stop.removeEventListener("abort", stopped);
  }
}

class FounderQuestion<C extends RaftTypeConfig> {
  readonly #parts: FoundingParts<C>;
  readonly #self: NodeId;
  readonly #id: NodeId;
  readonly #node: C["Node"];
  readonly #over: AbortSignal;

  constructor(parts: FoundingParts<C>, self: NodeId, id: NodeId, node: C["Node"], over: AbortSignal) {
    this.#parts = parts;
    this.#self = self;
    this.#id = id;
    this.#node = node;
    this.#over = over;
  }

  /** @returns the store of the founder. */
  async ask(deadline: number, timeoutMs: number): Promise<number> {
    const { clock } = this.#parts;
    let problem = "";
    while (clock.now() < deadline) {
      if (this.#over.aborted) throw toError(this.#over.reason);
      try {
        const store = await this.#askOnce();
        if (store !== null) return store;
      } catch (thrown) {
        if (this.#over.aborted) throw toError(this.#over.reason);
        if (thrown instanceof AlreadyInitializedError) throw thrown;
        problem = `: ${toError(thrown).message}`;
      }
      await this.#pause();
    }
    throw new TimeoutError(`the answer of founder ${this.#id}${problem};`, timeoutMs);
  }

  /** @returns null when it has a log, and no term yet: it is about to have one. */
  async #askOnce(): Promise<number | null> {
    const { network, passport, clock, rpcTimeoutMs } = this.#parts;
    const id = this.#id;
    let connection: RaftNetwork<C> | null = null;
    try {
      const open = network.connect(id, this.#node);
      connection = open;
      const header = passport.request(id);
      const request = { term: 1, candidateId: this.#self, lastLogId: ZERO_LOG_ID, header };
      const patience = { timeoutMs: rpcTimeoutMs, signal: this.#over };
      const response = await withPatience("its answer", patience, clock, () => open.preVote(request));
      checkVoteResponse(response);
      passport.checkResponse(response.header, id);
      if (response.term > 0) {
        throw new AlreadyInitializedError(`a fellow founder, node ${id}, of term ${response.term}`);
      }
      return response.granted ? response.header.incarnation : null;
    } finally {
      connection?.close();
    }
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
