import { ByteReader, ByteWriter, crc32 } from "@seshat/common/binary";
import type { ResponseCodec } from "./response-codec.js";
import type { Session } from "./session.js";
import { MAX_SESSIONS, MAX_UNANSWERED, isExpired, keepAnswer } from "./session.js";

/*
 *   sessions = version u8 = 1, count u32, session * count, checksum u32
 *   session  = id u64, expiresAfter u64, lastUsed u64, answeredBelow u64, count u32, answer * count
 *   answer   = sequence u64, length u32, response
 *
 * Integers are big-endian. `lastUsed` rises strictly from session to session, and so does `sequence` within each: so
 * equal tables are equal bytes. The checksum is the CRC-32 of everything before it.
 */
const FORMAT = "sessions";
const VERSION = 1;
const HEADER_BYTES = 5;
const SESSION_BYTES = 36;
const CHECKSUM_BYTES = 4;

/** Chunks are cut once they are this long; one answer is never cut. */
const CHUNK_BYTES = 65_536;

/** How many bytes {@link writeSessions} gives. */
export function sectionBytes(sessions: readonly Session[]): number {
  let size = HEADER_BYTES + CHECKSUM_BYTES;
  for (const session of sessions) size += SESSION_BYTES + session.answerBytes;
  return size;
}

/** Writes `sessions`, which come in the order of last use and do not change meanwhile. */
export function* writeSessions(sessions: readonly Session[]): Generator<Uint8Array> {
  let crc = 0;
  let writer = new ByteWriter();
  const cut = (): Uint8Array => {
    const chunk = writer.finish();
    crc = crc32(chunk, crc);
    writer = new ByteWriter(CHUNK_BYTES);
    return chunk;
  };
  writer.u8(VERSION).u32(sessions.length);
  for (const session of sessions) {
    writeHead(writer, session);
    for (const [sequence, answer] of answersOf(session)) {
      writer.u64(sequence).bytes(answer);
      if (writer.length >= CHUNK_BYTES) yield cut();
    }
    if (writer.length >= CHUNK_BYTES) yield cut();
  }
  yield cut();
  yield writer.u32(crc).finish();
}

/** One session alone, without version and checksum: for stores that keep each in a place of its own. */
export function encodeSession(session: Session): Uint8Array {
  const writer = new ByteWriter(SESSION_BYTES + session.answerBytes);
  writeHead(writer, session);
  for (const [sequence, answer] of answersOf(session)) writer.u64(sequence).bytes(answer);
  return writer.finish();
}

/**
 * Reads what {@link encodeSession} gave.
 *
 * @throws {CodecError} when it did not.
 */
export function decodeSession(bytes: Uint8Array, codec: ResponseCodec<unknown>): Session {
  const reader = new ByteReader(FORMAT, bytes);
  const session = readSession(reader, codec);
  reader.end();
  return session;
}

function writeHead(writer: ByteWriter, session: Session): void {
  const { id, expiresAfter, lastUsed, answeredBelow, answers } = session;
  writer.u64(id).u64(expiresAfter).u64(lastUsed).u64(answeredBelow).u32(answers.size);
}

function answersOf({ answers }: Session): [number, Uint8Array][] {
  return [...answers].sort(([a], [b]) => a - b);
}

/**
 * Reads what {@link writeSessions} wrote, by id and in the order of last use.
 *
 * @param index the last entry before the capture.
 * @throws {CodecError} when the bytes are damaged, or cannot be the sessions that are alive after that entry.
 */
export function readSessions(
  bytes: Uint8Array,
  index: number,
  codec: ResponseCodec<unknown>,
): Map<number, Session> {
  const reader = checkedReader(bytes);
  const sessions = new Map<number, Session>();
  let previous = 0;
  for (let left = readCount(reader, "sessions", MAX_SESSIONS); left > 0; left--) {
    const session = readSession(reader, codec);
    if (session.lastUsed <= previous) throw reader.error("sessions that are not in the order of their use");
    if (session.lastUsed > index) throw reader.error(`a session used at ${session.lastUsed}, after ${index}`);
    if (isExpired(session, index + 1)) throw reader.error(`a session that had expired at ${index}`);
    if (sessions.has(session.id)) throw reader.error(`session ${session.id} twice`);
    sessions.set(session.id, session);
    previous = session.lastUsed;
  }
  reader.end();
  return sessions;
}

/** Reads what stands before the checksum. It comes first, so that a codec for responses sees nothing damaged. */
function checkedReader(bytes: Uint8Array): ByteReader {
  const end = Math.max(bytes.length - CHECKSUM_BYTES, 0);
  const reader = new ByteReader(FORMAT, bytes.subarray(0, end));
  const version = reader.u8();
  if (version !== VERSION) throw reader.error(`version ${version} is unknown; this is version ${VERSION}`);
  const checksum = new ByteReader(FORMAT, bytes.subarray(end)).u32();
  if (checksum !== crc32(bytes.subarray(0, end))) {
    throw reader.error("the checksum does not match: the sessions are damaged");
  }
  return reader;
}

function readSession(reader: ByteReader, codec: ResponseCodec<unknown>): Session {
  const session: Session = {
    id: readPositive(reader, "a session id"),
    expiresAfter: readPositive(reader, "a number of entries"),
    lastUsed: reader.u64(),
    answeredBelow: readPositive(reader, "a sequence number"),
    answers: new Map(),
    answerBytes: 0,
    captured: false,
  };
  if (session.lastUsed < session.id) throw reader.error(`session ${session.id} used before it was opened`);
  let previous = session.answeredBelow - 1;
  for (let left = readCount(reader, "answers", MAX_UNANSWERED); left > 0; left--) {
    const sequence = reader.u64();
    if (sequence <= previous) throw reader.error(`answer ${sequence} after ${previous}`);
    const answer = reader.bytes();
    // Only to know that it can be read when it is asked for.
    codec.decode(new Uint8Array(answer));
    keepAnswer(session, sequence, answer);
    previous = sequence;
  }
  return session;
}

function readCount(reader: ByteReader, what: string, limit: number): number {
  const count = reader.u32();
  if (count > limit) throw reader.error(`${count} ${what}, but there are ${limit} at most`);
  return count;
}

function readPositive(reader: ByteReader, what: string): number {
  const value = reader.u64();
  if (value === 0) throw reader.error(`${what} of 0`);
  return value;
}
