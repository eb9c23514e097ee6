import type { NodeId, RaftTypeConfig, RpcRequest, RpcResponse } from "@seshat/common";
import type { RaftNetwork } from "@seshat/raft";
import { canonicalHash, canonicalText, firstDifference, shorten } from "../oracle/canonical.js";
import { Violation } from "../oracle/violation.js";
import type { NetworkTap, Rpc } from "./sim-network.js";
import type { RaftPeer, SystemTransport } from "./system-transport.js";

/** What was sent from one node to another by one call, and what it was answered. */
interface Sent {
  /** The answers to each request, by hash. */
  readonly answers: Map<number, Set<number>>;
  /** The newest requests, to show what became of one. */
  readonly newest: unknown[];
}

const MAX_NEWEST = 16;

/**
 * A transport that is held against its contract: what arrives was sent, whole and to that node, and an answer belongs to its own request.
 * Messages may be lost, late and repeated; none may be invented.
 */
export class WatchedTransport<C extends RaftTypeConfig> {
  readonly #inner: SystemTransport<C>;
  readonly #tap: NetworkTap;
  readonly #fail: (violation: Violation) => void;
  readonly #sent = new Map<string, Sent>();

  /** @param fail told when the contract is broken. */
  constructor(inner: SystemTransport<C>, tap: NetworkTap, fail: (violation: Violation) => void) {
    this.#inner = inner;
    this.#tap = tap;
    this.#fail = fail;
  }

  /** The sending end at node `from`. @param send carries bytes to `receive`. */
  connect(
    from: NodeId,
    to: NodeId,
    node: C["Node"],
    send: (request: Uint8Array) => Promise<Uint8Array>,
  ): RaftNetwork<C> {
    const inner = this.#inner.connect(to, node, send);
    const call = async (rpc: Rpc, request: RpcRequest<unknown>): Promise<never> => {
      this.#tap.request(from, to, rpc, request);
      const answers = this.#note(from, to, rpc, request);
      const response = await callPeer(inner, rpc, request);
      if (!answers.has(canonicalHash(response))) {
        this.#fail(
          new Violation(
            "N2 an answer belongs to its own request",
            `node ${from} asked node ${to} for ${rpc}, and the transport brought ${show(response)}, which is no answer to ${show(request)}`,
          ),
        );
      }
      return response as never;
    };
    return {
      preVote: (request) => call("preVote", request),
      vote: (request) => call("vote", request),
      appendEntries: (request) => call("appendEntries", request),
      installSnapshot: (request) => call("installSnapshot", request),
      timeoutNow: (request) => call("timeoutNow", request),
      readIndex: (request) => call("readIndex", request),
      close: () => inner.close(),
    };
  }

  /** The receiving end at node `to`. @param isAlive whether the node still runs. */
  receive(
    from: NodeId,
    to: NodeId,
    peer: RaftPeer<C>,
    bytes: Uint8Array,
    isAlive: () => boolean,
  ): Promise<Uint8Array> {
    const call = async (rpc: Rpc, request: RpcRequest<unknown>): Promise<never> => {
      const answers = this.#check(from, to, rpc, request);
      const response = await callPeer(peer, rpc, request);
      if (isAlive()) this.#tap.response(to, from, rpc, request, response);
      answers?.add(canonicalHash(response));
      return response as never;
    };
    return this.#inner.receive(
      {
        preVote: (request) => call("preVote", request),
        vote: (request) => call("vote", request),
        appendEntries: (request) => call("appendEntries", request),
        installSnapshot: (request) => call("installSnapshot", request),
        timeoutNow: (request) => call("timeoutNow", request),
        readIndex: (request) => call("readIndex", request),
      },
      bytes,
    );
  }

  /** @returns what will have been answered. */
  #note(from: NodeId, to: NodeId, rpc: Rpc, request: unknown): Set<number> {
    const name = `${from}>${to} ${rpc}`;
    const sent = this.#sent.get(name) ?? { answers: new Map<number, Set<number>>(), newest: [] };
    this.#sent.set(name, sent);
    sent.newest.push(request);
    if (sent.newest.length > MAX_NEWEST) sent.newest.shift();
    const hash = canonicalHash(request);
    const answers = sent.answers.get(hash) ?? new Set();
    sent.answers.set(hash, answers);
    return answers;
  }

  #check(from: NodeId, to: NodeId, rpc: Rpc, request: unknown): Set<number> | undefined {
    const sent = this.#sent.get(`${from}>${to} ${rpc}`);
    const answers = sent?.answers.get(canonicalHash(request));
    if (answers === undefined) {
      this.#fail(
        new Violation(
          "N1 what arrives was sent",
          `node ${to} received a request for ${rpc} from node ${from} that was not sent: ${explain(request, sent?.newest ?? [])}`,
        ),
      );
    }
    return answers;
  }
}

/** Calls the method of a peer that a request is for. */
export function callPeer<C extends RaftTypeConfig>(
  peer: RaftPeer<C>,
  rpc: Rpc,
  request: RpcRequest<unknown>,
): Promise<RpcResponse<unknown>> {
  return (peer as Record<Rpc, (message: unknown) => Promise<RpcResponse<unknown>>>)[rpc](request);
}

/** How the request differs from the newest one that it is most like. */
function explain(request: unknown, newest: readonly unknown[]): string {
  const likely = newest
    .map((sent) => ({ sent, alike: alike(canonicalText(sent), canonicalText(request)) }))
    .reduce<{ sent: unknown; alike: number } | null>(
      (best, next) => (best === null || next.alike >= best.alike ? next : best),
      null,
    );
  const difference = likely === null ? null : firstDifference(likely.sent, request);
  if (difference === null) return show(request);
  const { path, one, other } = difference;
  return `${path} was ${one} when it was sent, and is ${other} now`;
}

/** How many characters two texts begin and end with alike. */
function alike(a: string, b: string): number {
  const least = Math.min(a.length, b.length);
  let start = 0;
  while (start < least && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < least - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return start + end;
}

function show(value: unknown): string {
  return shorten(canonicalText(value));
}
