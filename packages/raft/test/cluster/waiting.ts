import type { Event } from "../../src/engine/event.js";
import type { Life } from "./life.js";
import { must } from "./must.js";

/** How long a request may stay without an answer before its sender gives it up. */
const RPC_TIMEOUT_MS = 150;

/** Gives up requests that wait for too long, one after another, and says what the engine has to be told of each. */
export function* overdue(life: Life): Generator<Event> {
  for (const [seq, { to, term, sentAt }] of life.unanswered) {
    if (life.now - sentAt < RPC_TIMEOUT_MS) continue;
    life.unanswered.delete(seq);
    yield { type: "appendEntriesFailed", from: to, requestTerm: term, seq };
  }
  const asked = life.unansweredTimeoutNow;
  if (asked !== null && life.now - asked.sentAt >= RPC_TIMEOUT_MS) {
    life.unansweredTimeoutNow = null;
    yield { type: "timeoutNowAnswered", from: asked.to, requestTerm: asked.term, term: 0, accepted: false };
  }
  for (const [requestId, { askedAt }] of life.reads) {
    if (askedAt === null || life.now - askedAt < RPC_TIMEOUT_MS) continue;
    yield { type: "readIndexAnswered", requestId, readIndex: null };
  }
}

/** When `overdue` next has something to do, by this node's clock. */
export function nextOverdue(life: Life): number {
  let earliest = life.unansweredTimeoutNow?.sentAt ?? Number.POSITIVE_INFINITY;
  for (const { sentAt } of life.unanswered.values()) earliest = Math.min(earliest, sentAt);
  for (const { askedAt } of life.reads.values()) earliest = Math.min(earliest, askedAt ?? earliest);
  return earliest + RPC_TIMEOUT_MS;
}

/** Writes, reads and changes wait only for what will come: who leads no longer must have given up all that it does not know to be committed. */
export function mustSettle({ id, engine, waiting, questions, reads }: Life): void {
  const { role, committed } = engine.state;
  if (role.type === "leader") return;
  for (const index of waiting) {
    must(index <= committed.index, `node ${id} leaves the write at ${index} without an outcome`);
  }
  for (const { askedAt } of reads.values()) {
    must(askedAt !== null, `node ${id} leaves a read without an answer`);
  }
  for (const { type } of questions.values()) {
    must(type !== "change", `node ${id} leaves a membership change without an outcome`);
  }
}
