import type { MessageInitShape } from "@bufbuild/protobuf";
import type { LogEntry, RaftTypeConfig } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type { TypeCodec } from "@seshat/common/codec";
import { EntryCodec } from "@seshat/common/codec";
import type { RaftNetwork } from "@seshat/raft";
import type {
  Request as WireRequest,
  RequestSchema,
  Response as WireResponse,
  ResponseSchema,
} from "../generated/seshat/raft/v1/raft_pb.js";
import { logIdFromWire, logIdToWire } from "./fields.js";
import { toNumber } from "./numbers.js";

/**
 * What a node does with the requests of its peers: `Raft` has these methods. The `data` of a part of a snapshot is lent to it until it answers that
 * there is more to come: then its memory is freed.
 */
export type RaftHandlers<C extends RaftTypeConfig> = Omit<RaftNetwork<C>, "close">;
/** The methods of a node that its peers call. */
export type Method = keyof RaftHandlers<RaftTypeConfig>;

type Unsigned<T> = T extends unknown ? Omit<T, "header"> : never;
/** What a method is asked, without who asks. */
export type RequestOf<C extends RaftTypeConfig, M extends Method> = Unsigned<
  Parameters<RaftHandlers<C>[M]>[0]
>;
/** What a method answers, without who does. */
export type ResponseOf<C extends RaftTypeConfig, M extends Method> = Unsigned<
  Awaited<ReturnType<RaftHandlers<C>[M]>>
>;

/** A request on its way out. */
export type RequestBody = Exclude<MessageInitShape<typeof RequestSchema>["body"], undefined>;
/** An answer on its way out. */
export type ResponseBody = Exclude<MessageInitShape<typeof ResponseSchema>["body"], undefined>;
type WireRequestOf<M extends Method> = Extract<WireRequest["body"], { case: M }>["value"];

/** How the requests and the answers of one method travel. Whatever reads throws when no correct peer can have written it so. */
export interface MethodCodec<C extends RaftTypeConfig, M extends Method> {
  encodeRequest(request: RequestOf<C, M>): RequestBody;
  /** @param wire the value of the body whose case is the name of the method. */
  decodeRequest(wire: WireRequestOf<M>): RequestOf<C, M>;
  encodeResponse(response: ResponseOf<C, M>): ResponseBody;
  decodeResponse(body: WireResponse["body"]): ResponseOf<C, M>;
}

/** How every method travels. */
export type MethodCodecs<C extends RaftTypeConfig> = { readonly [M in Method]: MethodCodec<C, M> };

/** Makes the codecs for an application's commands and nodes. */
export function methodCodecs<C extends RaftTypeConfig>(types: TypeCodec<C>): MethodCodecs<C> {
  const entryCodec = new EntryCodec<C>(types);
  // What goes to several followers is encoded once.
  const encoded = new WeakMap<readonly LogEntry<C["D"], C["Node"]>[], Uint8Array>();
  const encodeEntries = (entries: readonly LogEntry<C["D"], C["Node"]>[]): Uint8Array => {
    if (entries.length === 0) return NO_BYTES;
    let bytes = encoded.get(entries);
    if (bytes === undefined) {
      bytes = entryCodec.encodeEntries(entries);
      encoded.set(entries, bytes);
    }
    return bytes;
  };
  return {
    preVote: {
      encodeRequest: ({ term, candidateId, lastLogId }) => ({
        case: "preVote",
        value: {
          term: BigInt(term),
          candidateId: BigInt(candidateId),
          lastLogId: logIdToWire(lastLogId),
          transfer: false,
        },
      }),
      decodeRequest: decodePreVote,
      ...VOTE_RESPONSE,
    },
    vote: {
      encodeRequest: ({ term, candidateId, lastLogId, transfer }) => ({
        case: "vote",
        value: {
          term: BigInt(term),
          candidateId: BigInt(candidateId),
          lastLogId: logIdToWire(lastLogId),
          transfer,
        },
      }),
      decodeRequest: (wire) => ({ ...decodePreVote(wire), transfer: wire.transfer }),
      ...VOTE_RESPONSE,
    },
    appendEntries: {
      encodeRequest: ({ term, leaderId, prevLogId, entries, leaderCommit }) => ({
        case: "appendEntries",
        value: {
          term: BigInt(term),
          leaderId: BigInt(leaderId),
          prevLogId: logIdToWire(prevLogId),
          leaderCommit: BigInt(leaderCommit),
          entries: encodeEntries(entries),
        },
      }),
      decodeRequest: (wire) => ({
        term: toNumber("appendEntries.term", wire.term),
        leaderId: toNumber("appendEntries.leaderId", wire.leaderId),
        prevLogId: logIdFromWire("appendEntries.prevLogId", wire.prevLogId),
        entries: wire.entries.length === 0 ? [] : entryCodec.decodeEntries(ownBytes(wire.entries)),
        leaderCommit: toNumber("appendEntries.leaderCommit", wire.leaderCommit),
      }),
      encodeResponse: (response) => ({
        case: "appendEntries",
        value: { term: BigInt(response.term), outcome: appendOutcome(response) },
      }),
      decodeResponse: (body) => {
        if (body.case !== "appendEntries") throw notAnAnswer("appendEntries", body);
        const { outcome } = body.value;
        const term = toNumber("answer.term", body.value.term);
        switch (outcome.case) {
          case "matchIndex":
            return { type: "success", term, matchIndex: toNumber("answer.matchIndex", outcome.value) };
          case "conflictHint":
            return { type: "conflict", term, hint: logIdFromWire("answer.hint", outcome.value) };
          case "refused":
            return { type: "refused", term };
          default:
            throw notAnAnswer("appendEntries", outcome);
        }
      },
    },
    installSnapshot: {
      encodeRequest: ({ term, leaderId, meta, size, offset, data }) => ({
        case: "installSnapshot",
        value: {
          term: BigInt(term),
          leaderId: BigInt(leaderId),
          meta: entryCodec.encodeMeta(meta),
          size: BigInt(size),
          offset: BigInt(offset),
          data,
        },
      }),
      decodeRequest: (wire) => ({
        term: toNumber("installSnapshot.term", wire.term),
        leaderId: toNumber("installSnapshot.leaderId", wire.leaderId),
        meta: entryCodec.decodeMeta(wire.meta),
        size: toNumber("installSnapshot.size", wire.size),
        offset: toNumber("installSnapshot.offset", wire.offset),
        data: ownBytes(wire.data),
      }),
      encodeResponse: (response) => ({
        case: "installSnapshot",
        value: { term: BigInt(response.term), outcome: snapshotOutcome(response) },
      }),
      decodeResponse: (body) => {
        if (body.case !== "installSnapshot") throw notAnAnswer("installSnapshot", body);
        const { outcome } = body.value;
        const term = toNumber("answer.term", body.value.term);
        switch (outcome.case) {
          case "nextOffset":
            return { type: "progress", term, nextOffset: toNumber("answer.nextOffset", outcome.value) };
          case "installed":
            return { type: "installed", term };
          case "refused":
            return { type: "refused", term };
          default:
            throw notAnAnswer("installSnapshot", outcome);
        }
      },
    },
    timeoutNow: {
      encodeRequest: ({ term, leaderId, lastLogId }) => ({
        case: "timeoutNow",
        value: { term: BigInt(term), leaderId: BigInt(leaderId), lastLogId: logIdToWire(lastLogId) },
      }),
      decodeRequest: (wire) => ({
        term: toNumber("timeoutNow.term", wire.term),
        leaderId: toNumber("timeoutNow.leaderId", wire.leaderId),
        lastLogId: logIdFromWire("timeoutNow.lastLogId", wire.lastLogId),
      }),
      encodeResponse: ({ term, accepted }) => ({
        case: "timeoutNow",
        value: { term: BigInt(term), accepted },
      }),
      decodeResponse: (body) => {
        if (body.case !== "timeoutNow") throw notAnAnswer("timeoutNow", body);
        return { term: toNumber("answer.term", body.value.term), accepted: body.value.accepted };
      },
    },
    readIndex: {
      encodeRequest: ({ lease }) => ({ case: "readIndex", value: { lease } }),
      decodeRequest: ({ lease }) => ({ lease }),
      encodeResponse: ({ readIndex }) => ({
        case: "readIndex",
        value: readIndex === null ? {} : { readIndex: logIdToWire(readIndex) },
      }),
      decodeResponse: (body) => {
        if (body.case !== "readIndex") throw notAnAnswer("readIndex", body);
        const { readIndex } = body.value;
        return { readIndex: readIndex === undefined ? null : logIdFromWire("answer.readIndex", readIndex) };
      },
    },
  };
}

/** Commands, and parts of snapshots, are parts of these bytes and keep them in memory: not much more than them, of whatever else came in the same packet. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length * MOST_KEPT < bytes.buffer.byteLength) return new Uint8Array(bytes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** How many times their own length commands may keep. */
const MOST_KEPT = 4;

const NO_BYTES = new Uint8Array(0);

const VOTE_RESPONSE: Pick<MethodCodec<RaftTypeConfig, "vote">, "encodeResponse" | "decodeResponse"> = {
  encodeResponse: ({ term, granted }) => ({ case: "vote", value: { term: BigInt(term), granted } }),
  decodeResponse: (body) => {
    if (body.case !== "vote") throw notAnAnswer("vote", body);
    return { term: toNumber("answer.term", body.value.term), granted: body.value.granted };
  },
};

function decodePreVote(wire: WireRequestOf<"preVote">): RequestOf<RaftTypeConfig, "preVote"> {
  return {
    term: toNumber("vote.term", wire.term),
    candidateId: toNumber("vote.candidateId", wire.candidateId),
    lastLogId: logIdFromWire("vote.lastLogId", wire.lastLogId),
  };
}

function appendOutcome(
  response: ResponseOf<RaftTypeConfig, "appendEntries">,
): NonNullable<Extract<ResponseBody, { case: "appendEntries" }>["value"]["outcome"]> {
  switch (response.type) {
    case "success":
      return { case: "matchIndex", value: BigInt(response.matchIndex) };
    case "conflict":
      return { case: "conflictHint", value: logIdToWire(response.hint) };
    case "refused":
      return { case: "refused", value: {} };
    default:
      return response satisfies never;
  }
}

function snapshotOutcome(
  response: ResponseOf<RaftTypeConfig, "installSnapshot">,
): NonNullable<Extract<ResponseBody, { case: "installSnapshot" }>["value"]["outcome"]> {
  switch (response.type) {
    case "progress":
      return { case: "nextOffset", value: BigInt(response.nextOffset) };
    case "installed":
      return { case: "installed", value: {} };
    case "refused":
      return { case: "refused", value: {} };
    default:
      return response satisfies never;
  }
}

function notAnAnswer(
  method: Method,
  { case: found }: { readonly case: string | undefined },
): InvalidValueError {
  return new InvalidValueError("answer", found, `an answer to ${method}`);
}
