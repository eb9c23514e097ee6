import type { BytesTypeConfig, LogId, StoredMembership, Vote } from "@seshat/common";
import { EMPTY_STORED_MEMBERSHIP, StorageError, ZERO_LOG_ID, ZERO_VOTE, silentLogger } from "@seshat/common";
import type { RaftStateMachine, RaftStorage } from "@seshat/storage";
import { KeyValueStateMachine, MemSnapshotData, OpenRaftMemStorage } from "@seshat/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordingTracer, silentInstruments } from "../../test/support/instruments.js";
import { rejection } from "../../test/support/promises.js";
import type { ByteEntry } from "../../test/support/values.js";
import {
  blank,
  blanks,
  logId,
  membershipEntry,
  setEntry,
  text,
  utf8,
  voters,
} from "../../test/support/values.js";
import type { EngineStart } from "../engine/engine.js";
import { systemRuntime } from "./clock.js";
import { Instruments } from "./instruments.js";
import { restore } from "./restore.js";

const PAUSE = (): Promise<void> => Promise.resolve();
const IDENTITY = { clusterId: "seshat", nodeId: 1, incarnation: 77 };
const RUNTIME = systemRuntime;

/** Storage that says whatever a test puts in it, right or wrong. */
interface Story {
  vote?: Vote | null;
  purged?: LogId;
  last?: LogId;
  entries?: readonly ByteEntry[];
  applied?: LogId;
  membership?: StoredMembership;
  snapshot?: LogId;
  committed?: LogId | null;
}

function tell(story: Story): {
  storage: RaftStorage<BytesTypeConfig>;
  stateMachine: RaftStateMachine<BytesTypeConfig>;
  reads: [number, number][];
  installed: LogId[];
} {
  const entries = story.entries ?? [];
  const purged = story.purged ?? ZERO_LOG_ID;
  const last = story.last ?? entries.at(-1)?.logId ?? purged;
  const reads: [number, number][] = [];
  const installed: LogId[] = [];
  let applied = story.applied ?? ZERO_LOG_ID;
  const storage = {
    readVote: () =>
      story.vote === undefined ? { term: last.term, votedFor: null, committed: false } : story.vote,
    readLogState: () => ({ lastPurgedLogId: purged, lastLogId: last }),
    readCommitted: () => story.committed ?? null,
    readEntries: (since: number, upto: number) => {
      reads.push([since, upto]);
      return entries.filter(({ logId: { index } }) => index >= since && index <= upto);
    },
    logReader: () => storage,
  } as unknown as RaftStorage<BytesTypeConfig>;
  const stateMachine = {
    readAppliedState: () => ({
      lastAppliedLogId: applied,
      lastMembership: story.membership ?? EMPTY_STORED_MEMBERSHIP,
    }),
    readCurrentSnapshot: () =>
      story.snapshot === undefined ? null : { meta: { lastLogId: story.snapshot } },
    installSnapshot: (snapshot: { meta: { lastLogId: LogId } }) => {
      applied = snapshot.meta.lastLogId;
      installed.push(applied);
    },
  } as unknown as RaftStateMachine<BytesTypeConfig>;
  return { storage, stateMachine, reads, installed };
}

async function restored(story: Story): Promise<EngineStart> {
  const { storage, stateMachine } = tell(story);
  return restore(IDENTITY, storage, stateMachine, silentInstruments(), RUNTIME);
}

describe("restoring a node", () => {
  test("a new node starts from nothing", async () => {
    const start = await restored({ vote: null });
    expect(start).toMatchObject({
      id: 1,
      vote: ZERO_VOTE,
      memberships: [EMPTY_STORED_MEMBERSHIP],
      snapshot: ZERO_LOG_ID,
      applied: ZERO_LOG_ID,
      committed: ZERO_LOG_ID,
    });
    expect([start.log.purged, start.log.last, start.log.ranges()]).toEqual([ZERO_LOG_ID, ZERO_LOG_ID, []]);
  });

  test("finds vote, log, applied state and snapshot as storage has them", async () => {
    const vote = { term: 5, votedFor: 3, committed: true };
    const start = await restored({
      vote,
      purged: logId(1, 10),
      snapshot: logId(1, 12),
      entries: [...blanks(1, 11, 12), ...blanks(3, 13, 14), blank(4, 15)],
      applied: logId(3, 13),
    });
    expect(start).toMatchObject({
      vote,
      snapshot: logId(1, 12),
      applied: logId(3, 13),
      committed: logId(3, 13),
    });
    expect([start.log.purged, start.log.last]).toEqual([logId(1, 10), logId(4, 15)]);
    expect(start.log.ranges()).toEqual([
      { term: 1, firstIndex: 11 },
      { term: 3, firstIndex: 13 },
      { term: 4, firstIndex: 15 },
    ]);
  });

  test("a log of which everything was purged goes on after it", async () => {
    const start = await restored({
      purged: logId(2, 7),
      applied: logId(2, 7),
      snapshot: logId(2, 7),
      vote: { term: 2, votedFor: null, committed: false },
    });
    expect([start.log.purged, start.log.last]).toEqual([logId(2, 7), logId(2, 7)]);
  });

  test("term ranges found by halving are those of a full scan, and a long log is not read whole (property)", async () => {
    const runs = fc.array(
      fc.record({ rise: fc.integer({ min: 1, max: 5 }), length: fc.integer({ min: 1, max: 400 }) }),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(runs, fc.nat(1000), async (terms, purgedIndex) => {
        const entries: ByteEntry[] = [];
        const expected: { term: number; firstIndex: number }[] = [];
        let term = purgedIndex === 0 ? 0 : 1;
        const purged = logId(term, purgedIndex);
        for (const { rise, length } of terms) {
          term += rise;
          const since = purgedIndex + entries.length + 1;
          expected.push({ term, firstIndex: since });
          entries.push(...blanks(term, since, since + length - 1));
        }
        const applied = (entries.at(-1) as ByteEntry).logId;
        const { storage, stateMachine, reads } = tell({ purged, snapshot: purged, entries, applied });
        const start = await restore(IDENTITY, storage, stateMachine, silentInstruments(), RUNTIME);
        expect(start.log.ranges()).toEqual(expected);
        expect(reads.length).toBeLessThan(2 + terms.length * 12);
        expect(reads.every(([since, upto]) => since === upto)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("finds the memberships after the last applied entry, oldest first, behind the applied one", async () => {
    const applied: StoredMembership = { logId: logId(1, 1), membership: voters(1) };
    const entries = [
      membershipEntry(1, 1, voters(1)),
      ...blanks(1, 2, 3),
      membershipEntry(1, 4, voters(1, 2)),
      ...blanks(2, 5, 1500),
      membershipEntry(2, 1501, voters(1, 2, 3)),
      blank(2, 1502),
    ];
    const start = await restored({ entries, applied: logId(1, 2), membership: applied });
    expect(start.memberships).toEqual([
      applied,
      { logId: logId(1, 4), membership: voters(1, 2) },
      { logId: logId(2, 1501), membership: voters(1, 2, 3) },
    ]);
  });

  test("a membership that is known to be committed replaces the ones before it", async () => {
    const entries = [
      membershipEntry(1, 1, voters(1)),
      membershipEntry(1, 2, voters(1, 2)),
      membershipEntry(1, 3, voters(1, 2, 3)),
      blank(1, 4),
    ];
    const applied: StoredMembership = { logId: logId(1, 1), membership: voters(1) };
    const start = await restored({
      entries,
      applied: logId(1, 1),
      membership: applied,
      committed: logId(1, 2),
    });
    expect(start.committed).toEqual(logId(1, 2));
    expect(start.memberships.map((stored) => stored.logId.index)).toEqual([2, 3]);
  });

  test.each<[string, LogId | null, LogId]>([
    ["within the log raises what is committed", logId(1, 4), logId(1, 4)],
    ["behind what is applied changes nothing", logId(1, 1), logId(1, 2)],
    ["past the end of the log is not believed", logId(1, 9), logId(1, 2)],
    ["of another term than the log has there is not believed", logId(2, 4), logId(1, 2)],
    ["that was never saved changes nothing", null, logId(1, 2)],
  ])("a hint of what is committed %s", async (_, committed, expected) => {
    const start = await restored({ entries: blanks(1, 1, 5), applied: logId(1, 2), committed });
    expect(start.committed).toEqual(expected);
    expect(start.applied.index).toBeLessThanOrEqual(start.committed.index);
  });

  test("storage without such a hint is served too", async () => {
    const { storage, stateMachine } = tell({ entries: blanks(1, 1, 2), applied: logId(1, 1) });
    Object.assign(storage, { readCommitted: undefined });
    expect(await restore(IDENTITY, storage, stateMachine, silentInstruments(), RUNTIME)).toMatchObject({
      committed: logId(1, 1),
    });
  });

  test("storage that finds memberships by itself is asked for those that are not applied, and nothing is read for them", async () => {
    const found = [{ logId: logId(1, 4), membership: voters(1, 2) }];
    const { storage, stateMachine, reads } = tell({ entries: blanks(1, 1, 500), applied: logId(1, 2) });
    const asked: [number, number][] = [];
    Object.assign(storage, {
      readMemberships: (since: number, upto: number) => {
        asked.push([since, upto]);
        return found;
      },
    });
    const start = await restore(IDENTITY, storage, stateMachine, silentInstruments(), RUNTIME);
    expect(start.memberships.slice(1)).toEqual(found);
    expect(asked).toEqual([[3, 500]]);
    for (const [since, upto] of reads) expect(upto).toBe(since);
  });

  test.each([
    ["is applied", [2]],
    ["is past the end", [4, 6]],
    ["comes before the one before it", [5, 4]],
    ["is told twice", [4, 4]],
  ])("a membership that %s is not taken from storage", async (_, indexes) => {
    const { storage, stateMachine } = tell({ entries: blanks(1, 1, 5), applied: logId(1, 2) });
    const found = indexes.map((index) => ({ logId: logId(1, index), membership: voters(1, 2) }));
    Object.assign(storage, { readMemberships: () => found });
    const error = await rejection(restore(IDENTITY, storage, stateMachine, silentInstruments(), RUNTIME));
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ verb: "read log" });
    expect(error.message).toContain("a membership at 1-");
  });

  test("a state machine kept only in memory is given the snapshot again, within a span", async () => {
    const tracer = new RecordingTracer();
    const { storage, stateMachine, installed } = tell({
      purged: logId(1, 5),
      snapshot: logId(1, 6),
      entries: blanks(1, 6, 8),
    });
    const start = await restore(
      IDENTITY,
      storage,
      stateMachine,
      new Instruments(1, silentLogger, tracer),
      RUNTIME,
    );
    expect(installed).toEqual([logId(1, 6)]);
    expect(start).toMatchObject({ applied: logId(1, 6), snapshot: logId(1, 6) });
    expect(tracer.spans).toMatchObject([
      { name: "raft.snapshot.install", attributes: { "raft.node": 1, "raft.index": 6 }, ends: 1 },
    ]);
  });

  test("a state machine that is past the snapshot keeps what it has", async () => {
    const { storage, stateMachine, installed } = tell({
      snapshot: logId(1, 2),
      entries: blanks(1, 1, 4),
      applied: logId(1, 3),
    });
    await restore(IDENTITY, storage, stateMachine, silentInstruments(), RUNTIME);
    expect(installed).toEqual([]);
  });

  test("a real state machine comes to the state of its snapshot", async () => {
    const source = new OpenRaftMemStorage(new KeyValueStateMachine());
    source.stateMachine.apply([setEntry(1, 1, "a", "1"), setEntry(1, 2, "b", "2")]);
    const snapshot = await source.stateMachine.snapshotBuilder().buildSnapshot(PAUSE);
    const kv = new KeyValueStateMachine();
    const storage = new OpenRaftMemStorage(kv);
    storage.append([setEntry(1, 1, "a", "1"), setEntry(1, 2, "b", "2"), setEntry(1, 3, "c", "3")], () => {});
    storage.saveVote({ term: 1, votedFor: 1, committed: true });
    storage.purge(logId(1, 2));
    // The process was restarted: the snapshot lies on the disk, the state machine is empty.
    storage.stateMachine.readCurrentSnapshot = () => snapshot;
    const start = await restore(IDENTITY, storage, storage.stateMachine, silentInstruments(), RUNTIME);
    expect(start.applied).toEqual(logId(1, 2));
    expect([text(kv.get(utf8("a"))), text(kv.get(utf8("b"))), text(kv.get(utf8("c")))]).toEqual([
      "1",
      "2",
      null,
    ]);
  });
});

describe("storage that contradicts itself is refused", () => {
  test.each<[string, Story, string, string]>([
    [
      "a log purged past what is applied, with no snapshot that leads there",
      { purged: logId(1, 5), entries: blanks(1, 6, 8), applied: logId(1, 3) },
      "read log",
      "the log begins after 1-5, but the state machine has come only to 1-3 and no snapshot leads there",
    ],
    [
      "a log purged past its snapshot: what held the purged entries is lost",
      { purged: logId(1, 5), entries: blanks(1, 6, 8), applied: logId(1, 7), snapshot: logId(1, 4) },
      "read snapshot",
      "the log begins after 1-5, but the snapshot that held what is gone ends at 1-4",
    ],
    [
      "a log shorter than what is applied",
      { entries: blanks(1, 1, 3), applied: logId(1, 5) },
      "read log",
      "the log ends at 1-3, but the state machine has applied 1-5",
    ],
    [
      "a vote of an earlier term than the log: a promise was forgotten",
      { entries: blanks(4, 1, 3), vote: { term: 3, votedFor: 1, committed: true } },
      "read vote",
      "the vote is of term 3, but the log ends at 4-3",
    ],
    [
      "no vote at all, but a log",
      { entries: blanks(2, 1, 3), vote: null },
      "read vote",
      "the vote is of term 0",
    ],
    [
      "a hole at the start of the log",
      { entries: blanks(1, 2, 5) },
      "read log",
      "the entry at index 1 is missing",
    ],
    [
      "a hole at the end of the log",
      { entries: blanks(1, 1, 5), last: logId(1, 6) },
      "read log",
      "the entry at index 6 is missing",
    ],
    [
      "a hole in the middle of what is not applied",
      { entries: [...blanks(1, 1, 3), ...blanks(1, 5, 8)] },
      "read log",
      "the entry at index 4 is missing",
    ],
    [
      "a hole where terms are looked for",
      { entries: [...blanks(1, 1, 3), ...blanks(2, 5, 7)], applied: logId(2, 7) },
      "read log",
      "the entry at index 4 is missing",
    ],
    [
      "a last entry of another term than the log says",
      { entries: blanks(1, 1, 3), last: logId(2, 3) },
      "read log",
      "the last entry is 1-3, not 2-3",
    ],
    [
      "terms that fall",
      {
        entries: [...blanks(3, 1, 3), ...blanks(2, 4, 6)],
        vote: { term: 3, votedFor: null, committed: false },
      },
      "read log",
      "terms fall from 3-1 to 2-6",
    ],
    [
      "terms that fall behind what was purged",
      {
        purged: logId(3, 4),
        snapshot: logId(3, 4),
        applied: logId(3, 4),
        entries: blanks(2, 5, 6),
        vote: { term: 3, votedFor: null, committed: false },
      },
      "read log",
      "terms fall from 3-4 to 2-5",
    ],
    [
      "an applied entry that the log has with another term",
      { entries: blanks(2, 1, 5), applied: logId(1, 4) },
      "read log",
      "the state machine has applied 1-4, which is not in the log",
    ],
    [
      "a vote that is none",
      { vote: { term: -1, votedFor: null, committed: false } },
      "read vote",
      "stored vote.term is -1",
    ],
    [
      "a vote for nobody there can be",
      { vote: { term: 1, votedFor: 0, committed: false } },
      "read vote",
      "stored vote.votedFor is 0",
    ],
  ])("%s", async (_, story, verb, problem) => {
    const error = await rejection(restored(story));
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ verb });
    expect(error.message).toContain(problem);
  });

  test.each<[string, string, "storage" | "stateMachine"]>([
    ["readVote", "read vote", "storage"],
    ["readLogState", "read log", "storage"],
    ["readEntries", "read log", "storage"],
    ["readCommitted", "read log", "storage"],
    ["readMemberships", "read log", "storage"],
    ["readCurrentSnapshot", "read snapshot", "stateMachine"],
    ["readAppliedState", "apply", "stateMachine"],
    ["installSnapshot", "install snapshot", "stateMachine"],
  ])("a failing %s is a storage error with its cause", async (method, verb, half) => {
    for (const fail of [
      (cause: Error) => {
        throw cause;
      },
      (cause: Error) => Promise.reject(cause),
    ]) {
      const told = tell({ purged: logId(1, 2), snapshot: logId(1, 2), entries: blanks(1, 3, 5) });
      const cause = new Error("broken");
      Object.assign(told[half], { [method]: () => fail(cause) });
      const error = await rejection(
        restore(IDENTITY, told.storage, told.stateMachine, silentInstruments(), RUNTIME),
      );
      expect(error).toBeInstanceOf(StorageError);
      expect(error).toMatchObject({ verb, cause });
    }
  });

  test("a damaged snapshot is not installed, and says so", async () => {
    const storage = new OpenRaftMemStorage(new KeyValueStateMachine());
    const data = await MemSnapshotData.collect([utf8("this is no snapshot")]);
    const { storage: told } = tell({ purged: logId(1, 2), entries: blanks(1, 3, 5) });
    const snapshot = {
      meta: { lastLogId: logId(1, 2), lastMembership: EMPTY_STORED_MEMBERSHIP, snapshotId: "x" },
      data,
    };
    const stateMachine = {
      readAppliedState: () => storage.stateMachine.readAppliedState(),
      readCurrentSnapshot: () => snapshot,
      installSnapshot: (given: typeof snapshot) => storage.stateMachine.installSnapshot(given),
    } as unknown as RaftStateMachine<BytesTypeConfig>;
    const error = await rejection(restore(IDENTITY, told, stateMachine, silentInstruments(), RUNTIME));
    expect(error).toMatchObject({
      name: "StorageError",
      verb: "install snapshot",
      cause: { name: "CodecError" },
    });
  });
});

describe("what a crash left half done of an installation is finished", () => {
  /** A store whose state machine holds a snapshot at 5 of term 2, over a log as the crash left it. */
  async function crashed(
    entries: readonly ByteEntry[],
    purged: LogId = ZERO_LOG_ID,
  ): Promise<OpenRaftMemStorage<BytesTypeConfig>> {
    const source = new OpenRaftMemStorage(new KeyValueStateMachine());
    source.stateMachine.apply([
      ...blanks(1, 1, 3),
      membershipEntry(2, 4, voters(1, 2)),
      setEntry(2, 5, "a", "1"),
    ]);
    const snapshot = await source.stateMachine.snapshotBuilder().buildSnapshot(PAUSE);
    const storage = new OpenRaftMemStorage(new KeyValueStateMachine());
    storage.saveVote({ term: 3, votedFor: 1, committed: false });
    if (purged.index > 0) storage.purge(purged);
    if (entries.length > 0) storage.append(entries, () => {});
    await storage.stateMachine.installSnapshot(snapshot, PAUSE);
    return storage;
  }
  const start = (storage: OpenRaftMemStorage<BytesTypeConfig>): Promise<EngineStart> =>
    restore(IDENTITY, storage, storage.stateMachine, silentInstruments(), RUNTIME);

  test.each<[string, readonly ByteEntry[], LogId | undefined]>([
    ["an empty log", [], undefined],
    ["a log that ends before the snapshot", blanks(1, 1, 3), undefined],
    ["a log that was purged, and ends before it", blanks(1, 3, 4), logId(1, 2)],
    ["a log that has another entry there", blanks(1, 1, 9), undefined],
    ["a log of which only that was removed", blanks(1, 1, 4), undefined],
    ["a log that was replaced already", [], logId(2, 5)],
  ])("%s begins after the snapshot, and takes what follows", async (_, entries, purged) => {
    const storage = await crashed(entries, purged);
    const restored = await start(storage);
    expect([restored.log.purged, restored.log.last]).toEqual([logId(2, 5), logId(2, 5)]);
    expect(restored).toMatchObject({ applied: logId(2, 5), committed: logId(2, 5), snapshot: logId(2, 5) });
    expect(restored.memberships).toEqual([{ logId: logId(2, 4), membership: voters(1, 2) }]);
    expect(storage.readLogState()).toEqual({ lastPurgedLogId: logId(2, 5), lastLogId: logId(2, 5) });
    storage.append([blank(3, 6)], () => {});
  });

  test("a log that has its last entry is kept, with what follows and the memberships in it", async () => {
    const later = membershipEntry(2, 6, voters(1, 2, 3));
    const entries = [
      ...blanks(1, 1, 3),
      membershipEntry(2, 4, voters(1, 2)),
      blank(2, 5),
      later,
      blank(3, 7),
    ];
    const restored = await start(await crashed(entries));
    expect([restored.log.purged, restored.log.last]).toEqual([ZERO_LOG_ID, logId(3, 7)]);
    expect(restored.memberships.map((stored) => stored.logId)).toEqual([logId(2, 4), logId(2, 6)]);
  });

  test("and a crash in the middle of that is finished by the next start", async () => {
    for (const step of ["truncate", "purge"] as const) {
      const storage = await crashed(blanks(1, 1, 9));
      const cause = new Error("power cut");
      Object.assign(storage, {
        [step]: () => {
          throw cause;
        },
      });
      expect(await rejection(start(storage))).toMatchObject({ name: "StorageError", verb: step, cause });
      delete (storage as Partial<typeof storage>)[step];
      expect((await start(storage)).log.last).toEqual(logId(2, 5));
    }
  });

  test("an installation that did not happen leaves the log as it is: a snapshot that was only received is nothing", async () => {
    const storage = new OpenRaftMemStorage(new KeyValueStateMachine());
    storage.saveVote({ term: 3, votedFor: 1, committed: false });
    storage.append(blanks(1, 1, 4), () => {});
    const sink = storage.stateMachine.receiveSnapshot(
      {
        lastLogId: logId(2, 5),
        lastMembership: { logId: logId(2, 4), membership: voters(1, 2) },
        snapshotId: "5",
      },
      1,
    );
    await sink.write(new Uint8Array(1));
    await sink.finish();
    const restored = await start(storage);
    expect([restored.log.last, restored.applied, restored.snapshot]).toEqual([
      logId(1, 4),
      ZERO_LOG_ID,
      ZERO_LOG_ID,
    ]);
  });

  test("a log that lies behind a state that no snapshot stands for is still refused", async () => {
    const storage = await crashed([]);
    storage.stateMachine.apply([blank(2, 6)]);
    expect(await rejection(start(storage))).toMatchObject({ name: "StorageError", verb: "read log" });
  });

  test("a vote that is older than the snapshot is refused: a later term was forgotten", async () => {
    const storage = await crashed([]);
    storage.readVote = () => ({ term: 1, votedFor: 1, committed: false });
    expect(await rejection(start(storage))).toMatchObject({ name: "StorageError", verb: "read vote" });
  });
});
