/** Sessions at a time, at most. Part of the replicated rules: every node counts alike. */
export const MAX_SESSIONS = 16_384;

/** Commands of one session whose answers are kept, at most. Part of the replicated rules too. */
export const MAX_UNANSWERED = 1024;

/** What an answer takes in a snapshot beside its own bytes: its sequence number and its length. */
const ANSWER_HEADER_BYTES = 12;

/** What is remembered of one client. */
export interface Session {
  /** The index of the entry that opened it. */
  readonly id: number;
  readonly expiresAfter: number;
  /** The index of the entry that last used it. No two sessions have the same: an entry uses one at most. */
  lastUsed: number;
  /** Answers below this sequence number are gone. */
  answeredBelow: number;
  /**
   * The encoded responses, by sequence number. As bytes, because a response belongs to whoever it was given to, and
   * so that a node that applied the commands and one that read a snapshot give the very same answers.
   */
  readonly answers: Map<number, Uint8Array>;
  /** How many bytes `answers` take in a snapshot. */
  answerBytes: number;
  /** A capture holds this object, which therefore changes no more. */
  captured: boolean;
}

/** True when the session had ended before the entry at `index`. */
export function isExpired(session: Readonly<Session>, index: number): boolean {
  return index - session.lastUsed > session.expiresAfter;
}

/** How many answers stay once those below `answeredBelow` are forgotten. */
export function countUnanswered({ answers }: Readonly<Session>, answeredBelow: number): number {
  let count = 0;
  for (const sequence of answers.keys()) if (sequence >= answeredBelow) count += 1;
  return count;
}

/** Forgets the answers below `answeredBelow`, which never falls. */
export function forgetAnswered(session: Session, answeredBelow: number): void {
  const from = session.answeredBelow;
  session.answeredBelow = answeredBelow;
  // Most often the next one or two. But a client may also skip 2^53 numbers in one step.
  if (answeredBelow - from <= session.answers.size) {
    for (let sequence = from; sequence < answeredBelow; sequence++) forget(session, sequence);
  } else {
    for (const sequence of session.answers.keys()) if (sequence < answeredBelow) forget(session, sequence);
  }
}

function forget(session: Session, sequence: number): void {
  const answer = session.answers.get(sequence);
  if (answer === undefined) return;
  session.answers.delete(sequence);
  session.answerBytes -= ANSWER_HEADER_BYTES + answer.length;
}

/** Keeps an answer, of which it takes hold. */
export function keepAnswer(session: Session, sequence: number, answer: Uint8Array): void {
  session.answers.set(sequence, answer);
  session.answerBytes += ANSWER_HEADER_BYTES + answer.length;
}
