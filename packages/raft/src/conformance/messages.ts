import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  EntryPayload,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  LogId,
  Membership,
  NodeId,
  RaftTypeConfig,
  RequestHeader,
  ResponseHeader,
} from "@seshat/common";
import { BLANK_PAYLOAD, createMembership } from "@seshat/common";
import type { CaseRandom } from "@seshat/storage/conformance";
import type { RaftHandlers, TransportFactory } from "./transport-factory.js";

const MAX = Number.MAX_SAFE_INTEGER;
const TEXTS = ["", "blue", "Γαῖα 地球 🌍", '\u0000\n"\\', "x".repeat(200)];

/** The methods of a network, by the name of each its request and its answer. */
export type Method = keyof RaftHandlers<RaftTypeConfig>;

export const METHODS: readonly Method[] = [
  "preVote",
  "vote",
  "appendEntries",
  "installSnapshot",
  "timeoutNow",
  "readIndex",
];

/** The request that a method takes. */
export type RequestOf<C extends RaftTypeConfig, M extends Method> = Parameters<RaftHandlers<C>[M]>[0];
/** The answer that it gives. */
export type ResponseOf<C extends RaftTypeConfig, M extends Method> = Awaited<ReturnType<RaftHandlers<C>[M]>>;

/** Makes messages that nodes can send: any numbers, texts and bytes, but nothing that contradicts itself. */
export class Messages<C extends RaftTypeConfig> {
  readonly #factory: TransportFactory<C>;
  readonly #random: CaseRandom;

  constructor(factory: TransportFactory<C>, random: CaseRandom) {
    this.#factory = factory;
    this.#random = random;
  }

  request<M extends Method>(method: M, from: NodeId, to: NodeId): RequestOf<C, M> {
    const body = this.#requestBody(method, from);
    return { ...body, header: this.#requestHeader(from, to) } as RequestOf<C, M>;
  }

  response<M extends Method>(method: M, from: NodeId): ResponseOf<C, M> {
    const header: ResponseHeader = { from, incarnation: this.#number(1) };
    return { ...this.#responseBody(method), header } as ResponseOf<C, M>;
  }

  /** A heartbeat when there are no entries. */
  append(from: NodeId, to: NodeId, entries: readonly C["Entry"][]): RequestOf<C, "appendEntries"> {
    const body: AppendEntriesRequest<C["D"], C["Node"]> = {
      term: 1,
      leaderId: from,
      prevLogId: { term: 1, index: 1 },
      entries,
      leaderCommit: 1,
    };
    return { ...body, header: this.#requestHeader(from, to) };
  }

  /** An entry whose command has so many bytes. */
  entry(index: number, bytes: number): C["Entry"] {
    // One random byte repeated would pass for less than it is where messages are compressed.
    const data = this.#factory.command(this.#random.bytes(bytes));
    return { logId: { term: 1, index }, payload: { type: "normal", data } };
  }

  part(
    from: NodeId,
    to: NodeId,
    size: number,
    offset: number,
    data: Uint8Array,
  ): RequestOf<C, "installSnapshot"> {
    const body: InstallSnapshotRequest<C["Node"]> = {
      term: 3,
      leaderId: from,
      meta: {
        lastLogId: { term: 3, index: 30 },
        lastMembership: { logId: { term: 1, index: 1 }, membership: this.#membership() },
        snapshotId: "3-30-1",
      },
      size,
      offset,
      data,
    };
    return { ...body, header: this.#requestHeader(from, to) };
  }

  #requestBody(method: Method, from: NodeId): object {
    const random = this.#random;
    const term = this.#number(1);
    const lastLogId = this.#logId(term);
    switch (method) {
      case "preVote":
        return { term, candidateId: from, lastLogId };
      case "vote":
        return { term, candidateId: from, lastLogId, transfer: random.chance(0.5) };
      case "appendEntries": {
        const prevLogId = { term: Math.min(term, this.#number(0)), index: random.integer(0, 2 ** 40) };
        const entries = Array.from({ length: random.integer(0, 6) }, (_, i) => ({
          logId: { term, index: prevLogId.index + 1 + i },
          payload: this.#payload(),
        }));
        return { term, leaderId: from, prevLogId, entries, leaderCommit: this.#number(0) };
      }
      case "installSnapshot": {
        const data = random.bytes(random.pick([0, 1, 255, 3000]));
        const offset = random.pick([0, 1, 2 ** 40]);
        const request = this.part(
          from,
          from,
          offset + data.length + random.pick([0, 1, 2 ** 33]),
          offset,
          data,
        );
        const { header: _, ...body } = request;
        return { ...body, term, meta: { ...body.meta, snapshotId: random.pick(TEXTS) } };
      }
      case "timeoutNow":
        return { term, leaderId: from, lastLogId };
      case "readIndex":
        return { lease: random.chance(0.5) };
      default:
        return method satisfies never;
    }
  }

  #responseBody(method: Method): object {
    const random = this.#random;
    const term = this.#number(0);
    switch (method) {
      case "preVote":
      case "vote":
        return { term, granted: random.chance(0.5) };
      case "appendEntries":
        return random.pick<AppendEntriesResponse>([
          { type: "success", term, matchIndex: this.#number(0) },
          { type: "conflict", term, hint: this.#logId(term) },
          { type: "refused", term },
        ]);
      case "installSnapshot":
        return random.pick<InstallSnapshotResponse>([
          { type: "progress", term, nextOffset: this.#number(0) },
          { type: "installed", term },
          { type: "refused", term },
        ]);
      case "timeoutNow":
        return { term, accepted: random.chance(0.5) };
      case "readIndex":
        return { readIndex: random.pick([null, this.#logId(term)]) };
      default:
        return method satisfies never;
    }
  }

  #requestHeader(from: NodeId, to: NodeId): RequestHeader {
    return {
      clusterId: this.#random.pick(TEXTS),
      from,
      incarnation: this.#number(1),
      to,
      toIncarnation: this.#number(0),
    };
  }

  #payload(): EntryPayload<C["D"], C["Node"]> {
    const random = this.#random;
    const data = this.#factory.command(random.bytes(random.pick([0, 1, 256, 5000])));
    return random.pick<EntryPayload<C["D"], C["Node"]>>([
      BLANK_PAYLOAD,
      { type: "normal", data },
      {
        type: "normal",
        data,
        session: { sessionId: this.#number(1), sequence: this.#number(1), answeredBelow: this.#number(1) },
      },
      { type: "openSession", expiresAfter: this.#number(1) },
      { type: "membership", membership: this.#membership() },
    ]);
  }

  #membership(): Membership<C["Node"]> {
    const random = this.#random;
    const nodes = [1, 2, 3, MAX].map((id): [NodeId, C["Node"]] => [id, this.#factory.node(id)]);
    if (random.chance(0.5)) return createMembership<C["Node"]>([[1, MAX]], nodes);
    const incarnations: [NodeId, number][] = [
      [1, this.#number(1)],
      [MAX, this.#number(1)],
    ];
    return createMembership<C["Node"]>(
      [
        [1, 2],
        [2, MAX],
      ],
      nodes,
      { leaving: random.pick([[], [1]]), incarnations },
    );
  }

  #logId(upto: number): LogId {
    return { term: Math.min(upto, this.#number(0)), index: this.#number(0) };
  }

  /** A number from `min` on, often one at an edge. */
  #number(min: number): number {
    const random = this.#random;
    const edges = [min, min + 1, 127, 128, 255, 65_536, 2 ** 31, 2 ** 32, 2 ** 53 - 2, MAX];
    return random.chance(0.5) ? random.pick(edges) : random.integer(min, 1_000_000);
  }
}
