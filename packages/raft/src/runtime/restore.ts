import type {
  AsyncRuntime,
  LogId,
  RaftTypeConfig,
  StoreIdentity,
  StoredMembership,
  Vote,
} from "@seshat/common";
import {
  StorageError,
  ZERO_LOG_ID,
  ZERO_VOTE,
  checkInteger,
  compareLogIds,
  equalLogIds,
  formatLogId,
} from "@seshat/common";
import type { RaftLogReader, RaftStateMachine, RaftStorage } from "@seshat/storage";
import type { EngineStart } from "../engine/engine.js";
import { LogTrail } from "../engine/log-trail.js";
import type { TermRange } from "../engine/log-trail.js";
import { storageFailure } from "./failure.js";
import type { Instruments } from "./instruments.js";

/** Entries read at a time when the log is searched for memberships, at most: storage on a disk reads what it fetches in one go, and not more of it for less. */
const SCAN_ENTRIES = 16_384;

/**
 * Reads everything that a restart needs, and checks that it fits together: a node does not start from storage that
 * contradicts itself. What the last life left half done it finishes: a snapshot that was installed has the log's place.
 *
 * @throws {StorageError} that says what does not fit.
 */
export async function restore<C extends RaftTypeConfig>(
  { nodeId: id, incarnation }: StoreIdentity,
  storage: RaftStorage<C>,
  stateMachine: RaftStateMachine<C>,
  instruments: Instruments,
  runtime: AsyncRuntime,
): Promise<EngineStart> {
  const vote = await readOr("read vote", async () => checkVote((await storage.readVote()) ?? ZERO_VOTE));
  const snapshot = await readOr("read snapshot", () => stateMachine.readCurrentSnapshot());
  let applied = await readOr("apply", () => stateMachine.readAppliedState());
  const snapshotLogId = snapshot?.meta.lastLogId ?? ZERO_LOG_ID;

  if (snapshot !== null && applied.lastAppliedLogId.index < snapshotLogId.index) {
    // A state machine that is kept only in memory starts again from the snapshot.
    await readOr("install snapshot", () =>
      instruments.trace("raft.snapshot.install", { "raft.index": snapshotLogId.index }, () =>
        stateMachine.installSnapshot(snapshot, () => new Promise((resolve) => runtime.yield(resolve))),
      ),
    );
    applied = await readOr("apply", () => stateMachine.readAppliedState());
  }
  const { lastAppliedLogId, lastMembership } = applied;
  if (equalLogIds(lastAppliedLogId, snapshotLogId)) await finishInstall(storage, snapshotLogId);
  const { lastPurgedLogId, lastLogId } = await readOr("read log", () => storage.readLogState());
  if (lastPurgedLogId.index > lastAppliedLogId.index) {
    throw new StorageError(
      "read log",
      `the log begins after ${formatLogId(lastPurgedLogId)}, but the state machine has come only to ${formatLogId(lastAppliedLogId)} and no snapshot leads there`,
    );
  }
  if (lastPurgedLogId.index > snapshotLogId.index) {
    throw new StorageError(
      "read snapshot",
      `the log begins after ${formatLogId(lastPurgedLogId)}, but the snapshot that held what is gone ends at ${formatLogId(snapshotLogId)}`,
    );
  }
  if (lastLogId.index < lastAppliedLogId.index) {
    throw new StorageError(
      "read log",
      `the log ends at ${formatLogId(lastLogId)}, but the state machine has applied ${formatLogId(lastAppliedLogId)}`,
    );
  }
  if (lastLogId.term > vote.term) {
    throw new StorageError(
      "read vote",
      `the vote is of term ${vote.term}, but the log ends at ${formatLogId(lastLogId)}: a later term was forgotten`,
    );
  }

  const reader = storage.logReader();
  const ranges: TermRange[] = [];
  if (lastLogId.index > lastPurgedLogId.index) {
    const first = await readLogId(reader, lastPurgedLogId.index + 1);
    const last = await readLogId(reader, lastLogId.index);
    if (!equalLogIds(last, lastLogId)) {
      throw new StorageError(
        "read log",
        `the last entry is ${formatLogId(last)}, not ${formatLogId(lastLogId)}`,
      );
    }
    if (first.term < lastPurgedLogId.term) {
      throw new StorageError(
        "read log",
        `terms fall from ${formatLogId(lastPurgedLogId)} to ${formatLogId(first)}`,
      );
    }
    await findRanges(reader, first, last, ranges);
  }
  const log = new LogTrail(lastPurgedLogId, lastLogId, ranges);
  if (!log.has(lastAppliedLogId)) {
    throw new StorageError(
      "read log",
      `the state machine has applied ${formatLogId(lastAppliedLogId)}, which is not in the log`,
    );
  }
  const memberships = [
    lastMembership,
    ...(await findMemberships(storage, reader, lastAppliedLogId.index + 1, lastLogId.index)),
  ];
  const hint = (await readOr("read log", () => storage.readCommitted?.() ?? null)) ?? ZERO_LOG_ID;
  const committed = log.has(hint) && compareLogIds(hint, lastAppliedLogId) > 0 ? hint : lastAppliedLogId;
  while (
    memberships.length > 1 &&
    (memberships[1] as StoredMembership<unknown>).logId.index <= committed.index
  )
    memberships.shift();
  return {
    id,
    incarnation,
    vote,
    log,
    memberships,
    snapshot: snapshotLogId,
    applied: lastAppliedLogId,
    committed,
  };
}

/**
 * A node that crashed after the state machine had taken a snapshot over, and before the log was replaced, has a log that ends before it, or
 * has another entry in its place. The snapshot stands for all that is committed up to there, so the log begins after it.
 */
async function finishInstall<C extends RaftTypeConfig>(
  storage: RaftStorage<C>,
  snapshot: LogId,
): Promise<void> {
  const { lastPurgedLogId, lastLogId } = await readOr("read log", () => storage.readLogState());
  if (snapshot.index <= lastPurgedLogId.index) return;
  if (lastLogId.index >= snapshot.index) {
    const there = await readLogId(storage.logReader(), snapshot.index);
    if (there.term === snapshot.term) return;
    await readOr("truncate", () => storage.truncate(snapshot.index));
  }
  await readOr("purge", () => storage.purge(snapshot));
}

async function readOr<T>(
  verb: "read vote" | "read log" | "read snapshot" | "apply" | "install snapshot" | "truncate" | "purge",
  read: () => T | Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    throw storageFailure(verb, thrown);
  }
}

function checkVote(vote: Vote): Vote {
  checkInteger("stored vote.term", vote.term, 0);
  if (vote.votedFor !== null) checkInteger("stored vote.votedFor", vote.votedFor, 1);
  return vote;
}

async function readLogId(reader: RaftLogReader<RaftTypeConfig>, index: number): Promise<LogId> {
  const [entry] = await readOr("read log", () => reader.readEntries(index, index));
  if (entry === undefined || entry.logId.index !== index) {
    throw new StorageError("read log", `the entry at index ${index} is missing`);
  }
  return entry.logId;
}

/**
 * Finds where terms begin between two entries, by halving: reads a few entries for each term, however long the log is.
 * Appends to `ranges` in order.
 */
async function findRanges(
  reader: RaftLogReader<RaftTypeConfig>,
  first: LogId,
  last: LogId,
  ranges: TermRange[],
): Promise<void> {
  if (first.term > last.term) {
    throw new StorageError("read log", `terms fall from ${formatLogId(first)} to ${formatLogId(last)}`);
  }
  if (ranges.at(-1)?.term !== first.term) ranges.push({ term: first.term, firstIndex: first.index });
  if (first.term === last.term) return;
  if (first.index + 1 === last.index) {
    ranges.push({ term: last.term, firstIndex: last.index });
    return;
  }
  const middle = await readLogId(reader, Math.floor((first.index + last.index) / 2));
  await findRanges(reader, first, middle, ranges);
  await findRanges(reader, middle, last, ranges);
}

/** What storage says of memberships decides who votes: at least it is to be in the log, and in order. */
function checkMemberships(
  memberships: readonly StoredMembership<unknown>[],
  since: number,
  upto: number,
): readonly StoredMembership<unknown>[] {
  let next = since;
  for (const { logId } of memberships) {
    if (!(logId.index >= next && logId.index <= upto)) {
      throw new StorageError(
        "read log",
        `a membership at ${formatLogId(logId)} was found between ${next} and ${upto}`,
      );
    }
    next = logId.index + 1;
  }
  return memberships;
}

/** The memberships in the log from `since` to `upto`. */
async function findMemberships<C extends RaftTypeConfig>(
  storage: RaftStorage<C>,
  reader: RaftLogReader<C>,
  since: number,
  upto: number,
): Promise<readonly StoredMembership<unknown>[]> {
  if (since > upto) return [];
  const known = await readOr("read log", () => storage.readMemberships?.(since, upto) ?? null);
  if (known !== null) return checkMemberships(known, since, upto);
  const found: StoredMembership<unknown>[] = [];
  let next = since;
  while (next <= upto) {
    const from = next;
    const entries = await readOr("read log", () =>
      reader.readEntries(from, Math.min(upto, from + SCAN_ENTRIES - 1)),
    );
    if (entries.length === 0) throw new StorageError("read log", `the entry at index ${next} is missing`);
    for (const { logId, payload } of entries) {
      if (logId.index !== next) throw new StorageError("read log", `the entry at index ${next} is missing`);
      if (payload.type === "membership") found.push({ logId, membership: payload.membership });
      next++;
    }
  }
  return found;
}
