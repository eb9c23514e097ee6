import type { LogEntry, LogId, Vote } from "@seshat/common";
import { StorageError, ZERO_LOG_ID, formatLogId, formatVote } from "@seshat/common";
import { SeededRandom } from "@seshat/raft/testing";
import { OpenRaftStateMachine } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { Bench, ListMachine, codec, entry, readAll } from "../../test/sim-storage-fixture.js";
import type { Types } from "../../test/sim-storage-fixture.js";
import type { DiskFaultCounts, SimDiskFaults } from "../disk/sim-disk-faults.js";
import { NO_DISK_FAULTS } from "../disk/sim-disk-faults.js";
import { DamagedFileError } from "./damaged-file-error.js";
import type { SimStorage } from "./open-sim-storage.js";
import { openSimStorage } from "./open-sim-storage.js";

type Entry = LogEntry<string>;

/** What a log half holds at a moment. */
interface State {
  readonly identity: number;
  readonly vote: Vote | null;
  readonly purged: LogId;
  readonly entries: readonly Entry[];
}

const EMPTY: State = { identity: 0, vote: null, purged: ZERO_LOG_ID, entries: [] };

/** What one life of a store wrote, and how much of that was acknowledged. */
class Model {
  /** One for each thing that was written, in order. */
  readonly states: State[];
  /** The last of them that was acknowledged. */
  acknowledged = 0;
  /** The current snapshot, likewise. */
  readonly snapshots: string[];
  acknowledgedSnapshot = 0;

  constructor(found: State, snapshot: string) {
    this.states = [found];
    this.snapshots = [snapshot];
  }

  get state(): State {
    return this.states.at(-1) as State;
  }

  get last(): LogId {
    return this.state.entries.at(-1)?.logId ?? this.state.purged;
  }

  write(change: Partial<State>): number {
    return this.states.push({ ...this.state, ...change }) - 1;
  }

  acknowledge(number: number): void {
    this.acknowledged = Math.max(this.acknowledged, number);
  }

  allowed(): string[] {
    return this.states.slice(this.acknowledged).map(show);
  }

  allowedSnapshots(): string[] {
    return this.snapshots.slice(this.acknowledgedSnapshot);
  }
}

function show({ identity, vote, purged, entries }: State): string {
  const log = entries.map(
    ({ logId, payload }) => `${formatLogId(logId)}=${payload.type === "normal" ? payload.data : "?"}`,
  );
  return `${identity} ${vote === null ? "none" : formatVote(vote)} ${formatLogId(purged)} ${log.join(" ")}`;
}

async function stateOf(store: SimStorage<Types>): Promise<State> {
  const { storage } = store;
  return {
    identity: storage.readIdentity()?.incarnation ?? 0,
    vote: storage.readVote(),
    purged: storage.readLogState().lastPurgedLogId,
    entries: await readAll(store),
  };
}

async function snapshotOf({ stateMachine }: SimStorage<Types>): Promise<string> {
  const snapshot = stateMachine.readCurrentSnapshot();
  if (snapshot === null) return "none";
  let text = "";
  for await (const chunk of snapshot.data.read(0)) text += new TextDecoder().decode(chunk);
  return `${snapshot.meta.snapshotId} ${text}`;
}

const noPause = (): Promise<void> => Promise.resolve();

/** One life: random calls, each checked against what it should have done, until `calls` were made or the disk fails. */
async function live(
  store: SimStorage<Types>,
  model: Model,
  random: SeededRandom,
  calls: number,
): Promise<void> {
  const { storage, stateMachine } = store;
  const snapshot = stateMachine.readCurrentSnapshot();
  if (snapshot !== null) await stateMachine.installSnapshot(snapshot, noPause);
  const written = async (call: () => unknown, change: Partial<State>): Promise<void> => {
    const number = model.write(change);
    await call();
    model.acknowledge(number);
  };
  if (model.state.identity === 0) {
    const identity = { clusterId: "c", nodeId: 1, incarnation: random.integer(1, 1000) };
    await written(() => storage.saveIdentity(identity), { identity: identity.incarnation });
  }
  for (let i = 0; i < calls; i++) {
    const { vote, purged, entries } = model.state;
    const { last } = model;
    const kind = random.integer(0, 11);
    if (kind < 5) {
      const term = last.term + (random.chance(0.2) ? 1 : 0);
      const added = Array.from({ length: random.integer(1, 4) }, (_, n) =>
        entry(
          term,
          last.index + 1 + n,
          "abcdefghij".repeat(random.integer(0, 5)) + String(random.integer(0, 99)),
        ),
      );
      let number = 0;
      for (const one of added) number = model.write({ entries: [...model.state.entries, one] });
      await storage.append(added, (error) => {
        if (error === null) model.acknowledge(number);
      });
    } else if (kind === 5) {
      const next = { term: (vote?.term ?? 0) + 1, votedFor: random.chance(0.5) ? 2 : null, committed: false };
      await written(() => storage.saveVote(next), { vote: next });
    } else if (kind === 6 && entries.length > 0) {
      const since = purged.index + random.integer(1, entries.length);
      await written(() => storage.truncate(since), { entries: entries.slice(0, since - purged.index - 1) });
    } else if (kind === 7) {
      const isPast = random.chance(0.2);
      const upto = isPast
        ? { term: last.term, index: last.index + random.integer(1, 3) }
        : (entries[random.integer(0, entries.length - 1)]?.logId ?? purged);
      const kept = entries.filter(({ logId }) => logId.index > upto.index);
      await written(() => storage.purge(upto), { purged: upto, entries: kept });
    } else if (kind === 8) {
      await storage.saveCommitted(last);
    } else if (kind === 9) {
      expect(show(await stateOf(store))).toBe(show(model.state));
    } else if (kind === 10) {
      const { lastAppliedLogId } = stateMachine.readAppliedState();
      stateMachine.apply([entry(9, lastAppliedLogId.index + 1, `${random.integer(0, 999)}`)]);
      const builder = stateMachine.snapshotBuilder();
      const { index } = stateMachine.readAppliedState().lastAppliedLogId;
      // The id of a snapshot counts those of its life.
      const text = JSON.stringify((stateMachine.inner as ListMachine).items);
      await snapshotWritten(store, model, `9-${index}`, text, () => builder.buildSnapshot(noPause));
    } else {
      await receive(store, model, random);
    }
  }
}

async function receive(store: SimStorage<Types>, model: Model, random: SeededRandom): Promise<void> {
  const { stateMachine } = store;
  const index = stateMachine.readAppliedState().lastAppliedLogId.index + random.integer(1, 5);
  const leader = new ListMachine();
  leader.items = Array.from({ length: random.chance(0.05) ? 10_000 : random.integer(0, 30) }, () => "x");
  const made = await new OpenRaftStateMachine<string, string>(leader)
    .snapshotBuilder()
    .buildSnapshot(noPause);
  const meta = { ...made.meta, lastLogId: { term: 9, index }, snapshotId: `9-${index}` };
  const sink = await stateMachine.receiveSnapshot(meta, made.data.size);
  for await (const chunk of made.data.read(0)) await sink.write(chunk);
  if (random.chance(0.2)) return await sink.discard();
  const data = await sink.finish();
  if (random.chance(0.2)) return;
  await snapshotWritten(store, model, `9-${index}`, JSON.stringify(leader.items), () =>
    stateMachine.installSnapshot({ meta, data }, noPause),
  );
}

async function snapshotWritten(
  store: SimStorage<Types>,
  model: Model,
  id: string,
  text: string,
  write: () => unknown,
): Promise<void> {
  const number = model.snapshots.push(`${id} ${text}`) - 1;
  await write();
  model.acknowledgedSnapshot = number;
  expect(sameSnapshot(await snapshotOf(store))).toBe(`${id} ${text}`);
}

/** Without the count in an id, and without the sessions before the content. */
function sameSnapshot(snapshot: string): string {
  return snapshot.replace(/^(\d+-\d+)(?:-\d+)? [^]*?\[/, "$1 [");
}

/** What became of several lives on one disk. */
interface Outcome {
  /** Lives that found what they should have. */
  found: number;
  /** Lives that ended because the disk failed. */
  failed: number;
  /** Lives that found less than was acknowledged, though nothing that was not so at some time. */
  lost: number;
  /** The disk was damaged, and the store did not open. */
  refused: boolean;
  readonly counts: DiskFaultCounts;
}

/** Several lives on one disk, each ended by a crash at some call, perhaps while it starts. */
async function survive(seed: number, faults: Partial<SimDiskFaults>): Promise<Outcome> {
  const random = new SeededRandom(seed);
  const bench = new Bench(seed, { meanSyncMs: random.next() });
  const outcome: Outcome = { found: 0, failed: 0, lost: 0, refused: false, counts: bench.disk.counts };
  let model = new Model(EMPTY, "none");
  for (let life = 0; life < 4 && !outcome.refused; life++) {
    let opened = false;
    const run = async (): Promise<void> => {
      const parts = { codec, stateMachine: new ListMachine(), segmentBytes: 300 };
      const store = await openSimStorage<Types>(bench.disk, parts);
      const found = await stateOf(store);
      if (faults.misdirectedWriteRate !== undefined && !model.allowed().includes(show(found))) {
        outcome.lost += 1;
        expect(model.states.map(show)).toContain(show(found));
      } else expect(model.allowed()).toContain(show(found));
      const snapshot = sameSnapshot(await snapshotOf(store));
      expect(model.allowedSnapshots()).toContain(snapshot);
      model = new Model(found, snapshot);
      outcome.found += 1;
      opened = true;
      bench.disk.setFaults(faults);
      await live(store, model, random, random.integer(0, 25));
    };
    bench.disk.setFaults({ ...NO_DISK_FAULTS, shortWriteRate: 0.1 });
    let ended: { readonly error: unknown } | null = null;
    let crashed = false;
    const crash = (): void => {
      crashed = true;
      bench.disk.crash(random.chance(0.25) ? "process" : "machine");
    };
    const crashAt = bench.disk.operations + random.integer(1, random.chance(0.3) ? 15 : 220);
    bench.disk.onOperation = ({ count }) => {
      if (count === crashAt) crash();
    };
    run().then(
      () => (ended = { error: null }),
      (error: unknown) => (ended = { error }),
    );
    await bench.clock.runUntil("the life to end", () => crashed || ended !== null, 1_000_000);
    const { error } = (ended ?? { error: null }) as { readonly error: unknown };
    if (error instanceof Error && !(error instanceof StorageError)) throw error;
    if (error !== null && opened) outcome.failed += 1;
    if (error !== null && !opened) {
      expect(error).toBeInstanceOf(DamagedFileError);
      outcome.refused = true;
    }
    if (!crashed) crash();
    bench.disk = bench.disk.reopen();
  }
  return outcome;
}

/** Many seeds. @returns how often what happened. */
async function surviveAll(seeds: number, faults: Partial<SimDiskFaults>): Promise<Record<string, number>> {
  const sums: Record<string, number> = { found: 0, failed: 0, lost: 0, refused: 0 };
  const add = (what: string, count: number): void => {
    sums[what] = (sums[what] ?? 0) + count;
  };
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      const { found, failed, lost, refused, counts } = await survive(seed, faults);
      add("found", found);
      add("failed", failed);
      add("lost", lost);
      add("refused", refused ? 1 : 0);
      for (const [fault, count] of Object.entries(counts)) add(fault, count);
    } catch (cause) {
      throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
    }
  }
  return sums;
}

describe("a store on a disk that crashes", () => {
  test("finds what was acknowledged, or more, in the order in which it was written, and never a mixture", async () => {
    const sums = await surviveAll(400, { shortWriteRate: 0.1 });
    expect(sums).toMatchObject({ failed: 0, refused: 0 });
    const happened = [
      "machineCrash",
      "processCrash",
      "unsyncedLost",
      "unsyncedKept",
      "unsyncedTorn",
      "zeroTail",
      "garbageTail",
      "nameLost",
      "nameKept",
      "shortWrite",
    ];
    for (const fault of happened) expect(sums[fault], fault).toBeGreaterThan(50);
    expect(sums["found"]).toBeGreaterThan(1000);
  });

  test("does so too when the disk fails or is full before it crashes", async () => {
    const sums = await surviveAll(200, {
      syncErrorRate: 0.02,
      readErrorRate: 0.01,
      writeErrorRate: 0.01,
      renameErrorRate: 0.05,
      capacityBytes: 6_000,
    });
    expect(sums["refused"]).toBe(0);
    for (const fault of ["failed", "failedSync", "failedRead", "failedWrite", "failedRename", "diskFull"]) {
      expect(sums[fault], fault).toBeGreaterThan(5);
    }
  });

  test("notices writes that went astray, unless one has wiped out the very last thing in the log", async () => {
    const sums = await surviveAll(200, { misdirectedWriteRate: 0.03 });
    expect(sums["misdirectedWrite"]).toBeGreaterThan(100);
    expect(sums["refused"]).toBeGreaterThan(20);
    expect(sums["failed"]).toBeGreaterThan(50);
    expect(sums["lost"]).toBeLessThan(5);
  });
});
