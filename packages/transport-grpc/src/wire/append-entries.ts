import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  AppendEntriesRequestSchema,
  AppendEntriesResponseSchema,
  LogIdSchema,
  RequestSchema,
  ResponseSchema,
} from "../generated/seshat/raft/v1/raft_pb.js";
import { lengthOf, writeInteger, writeLength, writePresent } from "./integers.js";

/*
 * Requests to append, heartbeats among them, and the answers to them, by hand: nearly all messages are these, and what writes any message takes
 * ten times as long for one. A test holds this to what is generated from the schema.
 */

/** What a request to append says. */
export type AppendEntries = MessageInitShape<typeof AppendEntriesRequestSchema>;

const REQUEST = AppendEntriesRequestSchema.field;
const RESPONSE = AppendEntriesResponseSchema.field;
const LOG_ID = LogIdSchema.field;

/** Holds what is written until its length is known: integers, of which each takes ten bytes at most. */
const scratch = new Uint8Array(128);

/** @param about the fields of the request that come before, encoded; null when there is the id alone. */
export function writeAppendRequest(id: number, about: Uint8Array | null, value: AppendEntries): Uint8Array {
  let at = writeInteger(scratch, 0, REQUEST.term.number, Number(value.term ?? 0));
  at = writeInteger(scratch, at, REQUEST.leaderId.number, Number(value.leaderId ?? 0));
  if (value.prevLogId !== undefined) {
    const { term = 0n, index = 0n } = value.prevLogId;
    const length = logIdLength(Number(term), Number(index));
    at = writeLength(scratch, at, REQUEST.prevLogId.number, length);
    at = writeInteger(scratch, at, LOG_ID.term.number, Number(term));
    at = writeInteger(scratch, at, LOG_ID.index.number, Number(index));
  }
  at = writeInteger(scratch, at, REQUEST.leaderCommit.number, Number(value.leaderCommit ?? 0));
  const integers = at;
  const { entries = NO_BYTES } = value;
  const length = integers + (entries.length === 0 ? 0 : lengthOf(entries.length));
  const headLength =
    about?.length ?? writeInteger(scratch, integers, RequestSchema.field.id.number, id) - integers;
  const bytes = new Uint8Array(headLength + lengthOf(length));
  copy(bytes, 0, about ?? scratch, about === null ? integers : 0, headLength);
  at = writeLength(bytes, headLength, RequestSchema.field.appendEntries.number, length);
  copy(bytes, at, scratch, 0, integers);
  if (entries.length > 0)
    bytes.set(entries, writeLength(bytes, at + integers, REQUEST.entries.number, entries.length));
  return bytes;
}

/** Says that everything is there up to an index, whose header is known. */
export function writeAppendSuccess(id: number, term: number, matchIndex: number): Uint8Array {
  let at = writeInteger(scratch, 0, RESPONSE.term.number, term);
  // One of several, so it is said that it is this one.
  at = writePresent(scratch, at, RESPONSE.matchIndex.number, matchIndex);
  const headLength = writeInteger(scratch, at, ResponseSchema.field.id.number, id) - at;
  const bytes = new Uint8Array(headLength + lengthOf(at));
  copy(bytes, 0, scratch, at, headLength);
  copy(bytes, writeLength(bytes, headLength, ResponseSchema.field.appendEntries.number, at), scratch, 0, at);
  return bytes;
}

function logIdLength(term: number, index: number): number {
  return writeInteger(logId, writeInteger(logId, 0, LOG_ID.term.number, term), LOG_ID.index.number, index);
}

const logId = new Uint8Array(32);

/** For a few bytes: to make a view of them takes longer. */
function copy(to: Uint8Array, at: number, from: Uint8Array, since: number, length: number): void {
  for (let i = 0; i < length; i++) to[at + i] = from[since + i] as number;
}

const NO_BYTES = new Uint8Array(0);
