import { dropFirst } from "./drop-first.js";

/**
 * How far one follower has come, as its leader sees it (after etcd-io/raft's tracker). This file is the only
 * writer of `matchIndex` and `nextIndex`.
 *
 * Invariants: matchIndex < nextIndex; in the pipeline every request in flight ends below nextIndex; while probing
 * there is at most one request with entries in flight. Heartbeats travel beside, outside of the window.
 */
export interface Progress {
  /** The follower's durable log equals the leader's up to here. Never falls while the leader leads. */
  matchIndex: number;
  /** The next entry to send. */
  nextIndex: number;
  /**
   * `probe`: where the logs meet is not known, one request at a time finds out. `pipeline`: send without waiting. `snapshot`: what
   * comes next is purged, and a snapshot is on its way; heartbeats go on.
   */
  mode: "probe" | "pipeline" | "snapshot";
  /** The `sendSnapshot` that is on its way; 0 for none. */
  snapshotSeq: number;
  /** Where that snapshot ends, or before: what comes after it will be needed next. */
  snapshotIndex: number;
  /** Requests without an answer, oldest first. */
  inFlight: InFlight[];
  /** How many of them carry entries: what the window bounds. */
  inFlightData: number;
  /** The commit index that the follower was last told. */
  toldCommit: number;
  /** The latest read confirmation round that the follower answered; 0 for none. */
  ackedRound: number;
  /** When the newest request that the follower answered was sent, on the runtime's clock; negative infinity for none. */
  ackedSentAt: number;
  /** When something was last sent, on the runtime's clock. */
  lastSentAt: number;
  /** After a failure: nothing is sent before this time. */
  retryAt: number;
  /** Failures since the last answer. */
  failures: number;
  /** Since when it is counted on: as long as it has not answered since, its silence is measured from here. */
  countedSince: number;
  /** How long it takes to answer a request with entries, in milliseconds, smoothed; 0 before the first. */
  tripMs: number;
  /** True when a quorum does not need it, and entries may reach it a moment later. `thrifty.ts` */
  spare: boolean;
  /** The store that it answers from; 0 before it did. */
  incarnation: number;
}

/** One AppendEntries request that has no answer yet. */
export interface InFlight {
  readonly seq: number;
  readonly prevIndex: number;
  readonly upto: number;
  /** The read confirmation round in force when it was sent. */
  readonly round: number;
  readonly sentAt: number;
}

/** What a new leader assumes of every follower: that its log ends where the leader's does (Raft paper figure 2). */
export function newProgress(nextIndex: number, now: number): Progress {
  return {
    matchIndex: 0,
    nextIndex,
    mode: "probe",
    snapshotSeq: 0,
    snapshotIndex: 0,
    inFlight: [],
    inFlightData: 0,
    toldCommit: 0,
    ackedRound: 0,
    ackedSentAt: Number.NEGATIVE_INFINITY,
    lastSentAt: Number.NEGATIVE_INFINITY,
    retryAt: Number.NEGATIVE_INFINITY,
    failures: 0,
    countedSince: now,
    tripMs: 0,
    spare: false,
    incarnation: 0,
  };
}

/** A request went out. The pipeline counts on its success. */
export function noteSent(progress: Progress, request: InFlight, commit: number): void {
  progress.inFlight.push(request);
  if (carriesEntries(request)) progress.inFlightData += 1;
  progress.toldCommit = Math.max(progress.toldCommit, commit);
  progress.lastSentAt = request.sentAt;
  if (progress.mode === "pipeline") progress.nextIndex = Math.max(progress.nextIndex, request.upto + 1);
}

/** Takes the request named `seq` out of flight; undefined when it is not there: an answer that came too late or twice. */
export function takeInFlight(progress: Progress, seq: number): InFlight | undefined {
  const { inFlight } = progress;
  let request = inFlight[0];
  // Answers mostly come in the order of the requests.
  if (request?.seq === seq) dropFirst(inFlight);
  else {
    const position = inFlight.findIndex((other) => other.seq === seq);
    if (position < 0) return undefined;
    [request] = inFlight.splice(position, 1);
  }
  if (request !== undefined && carriesEntries(request)) progress.inFlightData -= 1;
  return request;
}

/** True while the follower is asked to confirm a read round that it has not answered; entries on their way do not count, they take longer. */
export function isConfirming(progress: Progress): boolean {
  return progress.inFlight.some((request) => !carriesEntries(request) && request.round > progress.ackedRound);
}

/** True when the follower has answered a read round, or a later one, or is asked to. */
export function isAskedAbout(progress: Progress, round: number): boolean {
  if (progress.ackedRound >= round) return true;
  return progress.inFlight.some((request) => !carriesEntries(request) && request.round >= round);
}

function carriesEntries(request: InFlight): boolean {
  return request.upto > request.prevIndex;
}

function forgetInFlight(progress: Progress): void {
  progress.inFlight = [];
  progress.inFlightData = 0;
}

/** The follower answered, whatever it said: it followed this leader when the request arrived. */
export function noteAnswer(progress: Progress, request: InFlight, now: number): void {
  if (carriesEntries(request)) noteTrip(progress, now - request.sentAt);
  progress.failures = 0;
  progress.retryAt = Number.NEGATIVE_INFINITY;
  progress.ackedRound = Math.max(progress.ackedRound, request.round);
  progress.ackedSentAt = Math.max(progress.ackedSentAt, request.sentAt);
}

/** Eight answers make most of it (RFC 6298 section 2 smooths like this). */
function noteTrip(progress: Progress, tripMs: number): void {
  progress.tripMs = progress.tripMs === 0 ? tripMs : progress.tripMs + (tripMs - progress.tripMs) / 8;
}

/** How long the follower takes to answer, in milliseconds; one that has been waited for longer than usual takes at least that long. */
export function usualTrip(progress: Progress, now: number): number {
  const oldest = progress.inFlight[0];
  return oldest === undefined ? progress.tripMs : Math.max(progress.tripMs, now - oldest.sentAt);
}

/** The follower's log equals the leader's up to `matchIndex`. */
export function noteSuccess(progress: Progress, matchIndex: number): void {
  progress.matchIndex = Math.max(progress.matchIndex, matchIndex);
  progress.nextIndex = Math.max(progress.nextIndex, progress.matchIndex + 1);
  progress.mode = "pipeline";
  progress.snapshotSeq = 0;
}

/** Only a snapshot helps the follower now: the one named `seq`, which ends at `lastIndex` at least, is on its way. */
export function noteSnapshotSent(progress: Progress, seq: number, lastIndex: number): void {
  progress.mode = "snapshot";
  progress.snapshotSeq = seq;
  progress.snapshotIndex = lastIndex;
  forgetInFlight(progress);
}

/** The follower holds what a snapshot up to `lastIndex` does. */
export function noteSnapshotInstalled(progress: Progress, lastIndex: number): void {
  noteSuccess(progress, lastIndex);
  progress.failures = 0;
  progress.retryAt = Number.NEGATIVE_INFINITY;
}

/** The snapshot did not get through: begin again after a pause. */
export function noteSnapshotFailed(progress: Progress): void {
  progress.mode = "probe";
  progress.snapshotSeq = 0;
}

/** The follower counts from now on: it was made a voter, or the leader's time stood still. */
export function countFrom(progress: Progress, now: number): void {
  progress.countedSince = now;
}

/** A quorum does, or does not, need the follower. */
export function noteSpare(progress: Progress, spare: boolean): void {
  progress.spare = spare;
}

/** The follower answers from this store. */
export function noteIncarnation(progress: Progress, incarnation: number): void {
  progress.incarnation = incarnation;
}

/**
 * The follower does not have the entry at `prevIndex`: go back to `nextIndex`, and ask one by one. A conflict at or below
 * what is known to match is an old answer.
 *
 * @returns false when the answer was old and changed nothing.
 */
export function noteConflict(progress: Progress, prevIndex: number, nextIndex: number): boolean {
  // It says no more than what the snapshot is on its way for.
  if (progress.mode === "snapshot") return true;
  if (prevIndex <= progress.matchIndex) return false;
  progress.mode = "probe";
  progress.snapshotSeq = 0;
  progress.nextIndex = Math.max(progress.matchIndex + 1, Math.min(nextIndex, prevIndex));
  forgetInFlight(progress);
  return true;
}

/** A request got no answer: what was sent after it may be lost too, so begin again from what is known. */
export function noteFailure(
  progress: Progress,
  now: number,
  backoffMinMs: number,
  backoffMaxMs: number,
): void {
  // A snapshot on its way has a deadline of its own: a lost heartbeat does not end it.
  if (progress.mode !== "snapshot") {
    progress.mode = "probe";
    progress.nextIndex = progress.matchIndex === 0 ? progress.nextIndex : progress.matchIndex + 1;
  }
  forgetInFlight(progress);
  progress.retryAt = now + Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(progress.failures, 16));
  progress.failures += 1;
}
