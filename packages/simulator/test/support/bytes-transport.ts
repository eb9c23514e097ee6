import { deserialize, serialize } from "node:v8";
import type { RaftTypeConfig } from "@seshat/common";
import type { RaftNetwork } from "@seshat/raft";
import type { RaftPeer, SystemTransport } from "../../src/network/system-transport.js";

type Call = keyof RaftPeer<RaftTypeConfig>;

/** A request as it is written. */
export interface Written {
  readonly call: Call;
  readonly request: Readonly<Record<string, unknown>>;
}

/** What a transport may get wrong. */
export interface Mistakes {
  /** Changes a request as it is written. */
  readonly write?: (written: Written) => Written;
  /** True when answers are given to whoever has waited longest, whoever they are for. */
  readonly answersInTurn?: boolean;
}

/** A transport that writes requests and answers with structured clone. */
export function bytesTransport<C extends RaftTypeConfig>(mistakes: Mistakes = {}): SystemTransport<C> {
  const { write = (written: Written): Written => written, answersInTurn = false } = mistakes;
  return {
    connect(_target, _node, send): RaftNetwork<C> {
      const waiting: ((answer: unknown) => void)[] = [];
      const exchange = async (call: Call, request: object): Promise<never> => {
        const answer = send(serialize(write({ call, request: request as Written["request"] })));
        if (!answersInTurn) return deserialize(await answer) as never;
        return new Promise((resolve, reject) => {
          waiting.push(resolve as (answer: unknown) => void);
          answer.then((bytes) => waiting.shift()?.(deserialize(bytes)), reject);
        });
      };
      return {
        preVote: (request) => exchange("preVote", request),
        vote: (request) => exchange("vote", request),
        appendEntries: (request) => exchange("appendEntries", request),
        installSnapshot: (request) => exchange("installSnapshot", request),
        timeoutNow: (request) => exchange("timeoutNow", request),
        readIndex: (request) => exchange("readIndex", request),
        close() {},
      };
    },
    async receive(peer, bytes) {
      const { call, request } = deserialize(bytes) as Written;
      const method = peer[call].bind(peer) as (request: unknown) => Promise<unknown>;
      return serialize(await method(request));
    },
  };
}
