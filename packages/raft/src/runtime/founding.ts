import type { AsyncRuntime, NodeId, RaftTypeConfig } from "@seshat/common";
import { AlreadyInitializedError, TimeoutError, ZERO_LOG_ID } from "@seshat/common";
import { checkVoteResponse } from "../check-message.js";
import type { RaftNetwork, RaftNetworkFactory } from "../network/raft-network.js";
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
  /** Why this node does not run any more; null while it does. */
  stopped(): Error | null;
}

/**
 * Asks every other founder which store it runs on, and whether it is as new as this one: the founding entry names the stores, so that no node
 * that ever replays it takes an erased founder for the one that founded. The question is a pre-vote for the first term, which only
 * a node without term and log grants, and which promises nothing.
 *
 * @returns the stores, by founder, without this node's own.
 * @throws {AlreadyInitializedError} when one of them belongs to a cluster already.
 * @throws {TimeoutError} when one of them does not answer in time.
 */
export async function askFounders<C extends RaftTypeConfig>(
  parts: FoundingParts<C>,
  self: NodeId,
  founders: readonly (readonly [NodeId, C["Node"]])[],
  timeoutMs: number,
): Promise<[NodeId, number][]> {
  const deadline = parts.clock.now() + timeoutMs;
  const others = founders.filter(([id]) => id !== self);
  return Promise.all(
    others.map(async ([id, node]): Promise<[NodeId, number]> => {
      const connection = parts.network.connect(id, node);
      try {
        return [id, await ask(parts, self, id, connection, deadline, timeoutMs)];
      } finally {
        connection.close();
      }
    }),
  );
}

async function ask<C extends RaftTypeConfig>(
  parts: FoundingParts<C>,
  self: NodeId,
  id: NodeId,
  connection: RaftNetwork<C>,
  deadline: number,
  timeoutMs: number,
): Promise<number> {
  const { clock, passport, rpcTimeoutMs, pauseMs } = parts;
  const request = { term: 1, candidateId: self, lastLogId: ZERO_LOG_ID, header: passport.request(id) };
  for (;;) {
    const stopped = parts.stopped();
    if (stopped !== null) throw stopped;
    if (clock.now() >= deadline) throw new TimeoutError(`the answer of founder ${id}`, timeoutMs);
    try {
      const response = await withPatience("the answer", { timeoutMs: rpcTimeoutMs }, clock, () =>
        connection.preVote(request),
      );
      checkVoteResponse(response);
      passport.checkResponse(response.header, id);
      if (response.granted) return response.header.incarnation;
      if (response.term > 0)
        throw new AlreadyInitializedError(`a fellow founder, node ${id}, of term ${response.term}`);
    } catch (thrown) {
      if (thrown instanceof AlreadyInitializedError) throw thrown;
    }
    await new Promise<void>((resolve) => {
      clock.setTimer(pauseMs, resolve);
    });
  }
}
