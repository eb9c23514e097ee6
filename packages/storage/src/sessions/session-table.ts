import type { SessionCommand } from "@seshat/common";
import type { Section } from "./framed-content.js";
import type { ResponseCodec } from "./response-codec.js";
import type { Session } from "./session.js";
import {
  MAX_SESSIONS,
  MAX_UNANSWERED,
  countUnanswered,
  forgetAnswered,
  isExpired,
  keepAnswer,
} from "./session.js";
import { SessionRefusal } from "./session-refusal.js";
import {
  decodeSession,
  encodeSession,
  readSessions,
  sectionBytes,
  writeSessions,
} from "./session-section.js";

/** What a store has to write so that it holds the sessions of a table again. */
export interface SessionChanges {
  /** Sessions that are new or were used, by id, encoded. */
  readonly saved: readonly (readonly [id: number, bytes: Uint8Array])[];
  /** Sessions that are gone. */
  readonly removed: readonly number[];
}

/** How many sessions are kept before those that have expired are looked for. */
const FIRST_SWEEP = 64;

/**
 * What a state machine remembers of its clients so that a command that is sent again takes effect once (Raft thesis
 * section 6.3). Everything in it follows from the log: sessions are named by index, and expire by index.
 *
 * Expired sessions lie about until there are many. They answer nothing, count for nothing and are not captured, so
 * that it shows nowhere when they go.
 */
export class SessionTable<R> {
  readonly #codec: ResponseCodec<R>;
  /** By id, in the order of last use: the one that was not used for longest comes first. */
  readonly #sessions: Map<number, Session>;
  /** How many sessions call for a look at which of them have expired. */
  #sweepAt = FIRST_SWEEP;
  /** Ids of what changed since {@link takeChanges}; null until that is first asked for. */
  #changed: Set<number> | null = null;

  private constructor(codec: ResponseCodec<R>, sessions: Map<number, Session>) {
    this.#codec = codec;
    this.#sessions = sessions;
  }

  /** A table without sessions. */
  static empty<R>(codec: ResponseCodec<R>): SessionTable<R> {
    return new SessionTable(codec, new Map());
  }

  /**
   * The table that was captured after the entry at `index`.
   *
   * @throws {CodecError} when the bytes are not what {@link capture} gave.
   */
  static decode<R>(codec: ResponseCodec<R>, index: number, bytes: Uint8Array): SessionTable<R> {
    return new SessionTable(codec, readSessions(bytes, index, codec));
  }

  /**
   * A table of sessions that {@link takeChanges} gave one by one, in any order.
   *
   * @throws {CodecError} when one of them is damaged.
   */
  static load<R>(codec: ResponseCodec<R>, records: Iterable<Uint8Array>): SessionTable<R> {
    const sessions = Array.from(records, (bytes) => decodeSession(bytes, codec));
    sessions.sort((a, b) => a.lastUsed - b.lastUsed);
    return new SessionTable(codec, new Map(sessions.map((session) => [session.id, session])));
  }

  /**
   * What changed since the last call, for a store that keeps each session in a place of its own. The first call gives all
   * sessions; only from then on changes are kept track of.
   */
  takeChanges(): SessionChanges {
    const saved: [number, Uint8Array][] = [];
    const removed: number[] = [];
    for (const id of this.#changed ?? this.#sessions.keys()) {
      const session = this.#sessions.get(id);
      if (session === undefined) removed.push(id);
      else saved.push([id, encodeSession(session)]);
    }
    this.#changed = new Set();
    return { saved, removed };
  }

  /** How many sessions are kept in memory, expired ones among them. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Opens the session that the entry at `index` asks for. Where there are too many, the one that was not used for
   * longest ends.
   *
   * @param index rises from call to call, here and in {@link carryOut}.
   */
  open(index: number, expiresAfter: number): SessionRefusal | undefined {
    if (!isCount(expiresAfter)) return new SessionRefusal("malformed");
    if (this.#sessions.size >= this.#sweepAt) this.#makeRoom(index);
    this.#changed?.add(index);
    this.#sessions.set(index, {
      id: index,
      expiresAfter,
      lastUsed: index,
      answeredBelow: 1,
      answers: new Map(),
      answerBytes: 0,
      captured: false,
    });
    return undefined;
  }

  /**
   * Carries out a command, once: one that was carried out before gets the answer of that time. When `apply` throws,
   * the table is as it was.
   *
   * @param index the entry that carries the command.
   */
  carryOut(index: number, command: SessionCommand, apply: () => R): R | SessionRefusal {
    const { sessionId, sequence } = command;
    if (!isCount(sessionId) || !isCount(sequence) || !isCount(command.answeredBelow)) {
      return new SessionRefusal("malformed");
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined || isExpired(session, index)) return new SessionRefusal("expired");

    const answeredBelow = Math.max(session.answeredBelow, command.answeredBelow);
    const kept = session.answers.get(sequence);
    let outcome: R | SessionRefusal;
    let answer: Uint8Array | null = null;
    if (sequence < answeredBelow) outcome = new SessionRefusal("alreadyAnswered");
    else if (kept !== undefined) outcome = this.#codec.decode(new Uint8Array(kept));
    else if (isFull(session, answeredBelow)) outcome = new SessionRefusal("tooManyUnanswered");
    else {
      const response = apply();
      outcome = response;
      answer = new Uint8Array(this.#codec.encode(response));
    }
    const used = this.#use(session, index);
    forgetAnswered(used, answeredBelow);
    if (answer !== null) keepAnswer(used, sequence, answer);
    return outcome;
  }

  /**
   * Captures the sessions that are alive after the entry at `index`, the last one, to be written while the table goes
   * on. Copies none of their answers. Equal tables give equal bytes.
   */
  capture(index: number): Section {
    const alive: Session[] = [];
    for (const session of this.#sessions.values()) {
      if (isExpired(session, index + 1)) continue;
      session.captured = true;
      alive.push(session);
    }
    return { size: sectionBytes(alive), chunks: () => writeSessions(alive) };
  }

  /** The session, to be changed: the last used from now on. */
  #use(session: Session, index: number): Session {
    const used = session.captured
      ? { ...session, answers: new Map(session.answers), captured: false }
      : session;
    used.lastUsed = index;
    this.#changed?.add(used.id);
    this.#sessions.delete(used.id);
    this.#sessions.set(used.id, used);
    return used;
  }

  #remove(id: number): void {
    this.#changed?.add(id);
    this.#sessions.delete(id);
  }

  #makeRoom(index: number): void {
    // The entry at `index` opens a session and uses none: the next one is the first that could.
    for (const [id, session] of this.#sessions) {
      if (isExpired(session, index + 1)) this.#remove(id);
    }
    // Only now does the size count the living alone, and is the same on every node.
    if (this.#sessions.size >= MAX_SESSIONS) {
      const [oldest] = this.#sessions.keys();
      this.#remove(oldest as number);
    }
    this.#sweepAt = Math.min(MAX_SESSIONS, Math.max(FIRST_SWEEP, this.#sessions.size * 2));
  }
}

/** A number that a session can hold. The log may carry anything, and what is not one could not be captured. */
function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isFull(session: Session, answeredBelow: number): boolean {
  return session.answers.size >= MAX_UNANSWERED && countUnanswered(session, answeredBelow) >= MAX_UNANSWERED;
}
