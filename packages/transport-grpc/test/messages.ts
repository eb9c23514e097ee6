import type { BytesTypeConfig, LogEntry, RequestHeader } from "@seshat/common";
import type { RaftNetwork } from "@seshat/raft";
import { BYTES_CODEC } from "@seshat/common/codec";
import type { GrpcConfigOptions, GrpcListener, RaftHandlers, TlsOptions } from "../src/index.js";
import { grpcNetwork, listenGrpc } from "../src/index.js";

export const HEADER: RequestHeader = {
  clusterId: "seshat",
  from: 1,
  incarnation: 5,
  to: 2,
  toIncarnation: 0,
};
const BY = { from: 2, incarnation: 9 };
const LOG_ID = { term: 1, index: 1 };

export type Network = RaftNetwork<BytesTypeConfig>;
type VoteRequest = Parameters<Network["vote"]>[0];
type AppendRequest = Parameters<Network["appendEntries"]>[0];

export const VOTE: VoteRequest = {
  term: 3,
  candidateId: 1,
  lastLogId: LOG_ID,
  transfer: false,
  header: HEADER,
};

export function entry(index: number, bytes: number): LogEntry<BytesTypeConfig["D"]> {
  return {
    logId: { term: 1, index },
    payload: { type: "normal", data: { data: new Uint8Array(bytes).fill(index) } },
  };
}

export function append(...entries: LogEntry<BytesTypeConfig["D"]>[]): AppendRequest {
  return { term: 1, leaderId: 1, prevLogId: LOG_ID, entries, leaderCommit: 1, header: HEADER };
}

/** Answers everything as a node would that has nothing against it. */
export function willing(over: Partial<RaftHandlers<BytesTypeConfig>> = {}): RaftHandlers<BytesTypeConfig> {
  return {
    preVote: ({ term }) => Promise.resolve({ term, granted: true, header: BY }),
    vote: ({ term }) => Promise.resolve({ term, granted: true, header: BY }),
    appendEntries: ({ term, prevLogId, entries }) =>
      Promise.resolve({ type: "success", term, matchIndex: prevLogId.index + entries.length, header: BY }),
    installSnapshot: ({ term, offset, data }) =>
      Promise.resolve({ type: "progress", term, nextOffset: offset + data.length, header: BY }),
    timeoutNow: ({ term }) => Promise.resolve({ term, accepted: true, header: BY }),
    readIndex: () => Promise.resolve({ readIndex: LOG_ID, header: BY }),
    ...over,
  };
}

export interface EndOptions {
  readonly tls?: TlsOptions;
  readonly config?: GrpcConfigOptions;
}

export function listen(
  raft: RaftHandlers<BytesTypeConfig> = willing(),
  options: EndOptions = {},
): Promise<GrpcListener> {
  return listenGrpc<BytesTypeConfig>({ raft, codec: BYTES_CODEC, address: "127.0.0.1:0", ...options });
}

/** A connection to node 2, which closes itself. */
export function connectTo(addr: string, options: EndOptions = {}): Network & Disposable {
  const network = grpcNetwork<BytesTypeConfig>({ codec: BYTES_CODEC, ...options }).connect(2, { addr });
  return Object.assign(network, { [Symbol.dispose]: () => network.close() });
}

/** Whether a node answers, over a connection that it has not seen before. */
export async function serves({ address }: GrpcListener, options: EndOptions = {}): Promise<boolean> {
  using network = connectTo(address, options);
  return (await network.vote(VOTE)).granted;
}

/** What a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it was answered");
}
