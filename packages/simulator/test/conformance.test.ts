import type { BytesTypeConfig, LogEntry, LogId, Request } from "@seshat/common";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { KeyValueStateMachine, encodeOperation } from "@seshat/storage";
import type { RaftStateMachine, RaftStorage } from "@seshat/storage";
import type { ConformanceCase, OpenStorage, StorageFactory } from "@seshat/storage/conformance";
import { ConformanceError, storageConformance } from "@seshat/storage/conformance";
import { describe, expect, test } from "vitest";
import type { Disk } from "../src/disk/disk.js";
import { SimDisk } from "../src/disk/sim-disk.js";
import { openSimStorage } from "../src/storage/open-sim-storage.js";

type Types = BytesTypeConfig;
type Entry = LogEntry<Request>;

interface Medium {
  disk: SimDisk;
  kv: KeyValueStateMachine;
  life: number;
}

/** How a store differs from the one that is correct. */
interface Faults {
  readonly disk?: (inner: Disk, life: number) => Partial<Disk>;
  readonly log?: (
    inner: RaftStorage<Types>,
    life: number,
    clock: VirtualClock,
  ) => Partial<RaftStorage<Types>>;
  readonly machine?: (inner: RaftStateMachine<Types>) => Partial<RaftStateMachine<Types>>;
}

function but<T extends object>(inner: T, changed: Partial<T>): T {
  return new Proxy(inner, {
    get(target, key): unknown {
      const changes = changed as Readonly<Record<PropertyKey, unknown>>;
      if (Object.hasOwn(changes, key)) return changes[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Storage on simulated disks, which lose and tear what was not synced as chance has it. */
function simFactory(faults: Faults = {}): StorageFactory<Types, Medium> {
  const clock = new VirtualClock();
  const random = new SeededRandom(7);
  const runtime = clock.runtime(random.fork());
  const states = new WeakMap<object, KeyValueStateMachine>();
  return {
    create: () => ({
      disk: new SimDisk({ runtime, random: random.fork() }),
      kv: new KeyValueStateMachine(),
      life: 0,
    }),
    open: async (medium): Promise<OpenStorage<Types>> => {
      medium.life += 1;
      medium.kv = new KeyValueStateMachine();
      const disk = but<Disk>(medium.disk, faults.disk?.(medium.disk, medium.life) ?? {});
      const codec = {
        command: {
          encode: ({ data }: Request) => data,
          decode: (bytes: Uint8Array) => ({ data: bytes.slice() }),
        },
      };
      const { storage, stateMachine } = await openSimStorage<Types>(disk, {
        codec,
        stateMachine: medium.kv,
        segmentBytes: 300,
      });
      const machine = but<RaftStateMachine<Types>>(stateMachine, faults.machine?.(stateMachine) ?? {});
      states.set(machine, medium.kv);
      const log = but<RaftStorage<Types>>(storage, faults.log?.(storage, medium.life, clock) ?? {});
      return { storage: log, stateMachine: machine };
    },
    restart: (medium) => {
      medium.disk.crash("process");
      medium.disk = medium.disk.reopen();
    },
    crash: (medium) => {
      medium.disk.crash();
      medium.disk = medium.disk.reopen();
    },
    kill: (medium) => {
      medium.disk.crash("process");
      medium.disk = medium.disk.reopen();
    },
    fates: ["lost", "torn"],
    crashAt: (medium, step) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const { disk } = medium;
      const at = disk.operations + step;
      disk.onOperation = ({ count }) => {
        if (count !== at) return;
        disk.onOperation = null;
        disk.crash();
        medium.disk = disk.reopen();
        resolve();
      };
      return {
        happened: promise,
        disarm: () => {
          disk.onOperation = null;
        },
      };
    },
    command: (n) => ({
      data: encodeOperation({ type: "set", key: utf8(`k${n % 8}`), value: utf8(`${n}`) }),
    }),
    node: (id) => ({ addr: `node-${id}` }),
    readState: ({ stateMachine }) => {
      const kv = states.get(stateMachine) as KeyValueStateMachine;
      return Array.from({ length: 8 }, (_, i) => kv.get(utf8(`k${i}`)));
    },
    settle: (outcome) => clock.runUntilSettled(outcome, 10_000_000),
  };
}

const lastOf = (inner: RaftStorage<Types>): LogId => (inner.readLogState() as { lastLogId: LogId }).lastLogId;

/** A store that ... is caught by ... */
const BROKEN: readonly (readonly [what: string, rule: string, faults: Faults])[] = [
  [
    "saves votes without a sync",
    "an identity and a vote are durable when the calls that save them end",
    { disk: () => ({ sync: () => {} }) },
  ],
  [
    "forgets to sync the directory",
    "an identity and a vote are durable when the calls that save them end",
    { disk: () => ({ syncDirectory: () => {} }) },
  ],
  [
    "reports entries durable when they are written",
    "entries that were reported durable survive a crash",
    {
      log: (inner) => ({
        append: (entries, done) => {
          done(null);
          return inner.append(entries, () => {});
        },
      }),
    },
  ],
  [
    "takes in what was torn",
    "entries that were not reported durable vanish from some point on, if at all",
    {
      log: (inner, life) => ({
        readEntries: async (since, upto) => {
          const entries = await inner.readEntries(since, upto);
          return entries.map((entry): Entry =>
            life > 1 && entry.logId.index === 3 ? { logId: entry.logId, payload: { type: "blank" } } : entry,
          );
        },
      }),
    },
  ],
  [
    "lets votes overtake entries",
    "a write is never durable without those before it: a vote brings the entries before it with it",
    {
      log: (inner, _, clock) => ({
        append: (entries, done) => {
          clock.runtime(new SeededRandom(1)).setTimer(100_000, () => void inner.append(entries, done));
        },
      }),
    },
  ],
  [
    "does not wait for its truncations",
    "a truncation is durable when it ends",
    { log: (inner) => ({ truncate: (since) => void inner.truncate(since) }) },
  ],
  [
    "does not wait for its purges",
    "a purge is durable when it ends, and the snapshot before it too",
    { log: (inner) => ({ purge: (upto) => void inner.purge(upto) }) },
  ],
  [
    "does not sync the names of its snapshots",
    "a snapshot that was installed is durable when the call ends, and one that was only received is not",
    { disk: () => ({ syncDirectory: () => {} }) },
  ],
  [
    "never syncs",
    "whatever is written, a crash leaves what some moment since the last acknowledgement held",
    { disk: () => ({ sync: () => {} }) },
  ],
  [
    "reports entries durable too early",
    "whatever is written, a crash leaves what some moment since the last acknowledgement held",
    {
      log: (inner) => ({
        append: (entries, done) => {
          done(null);
          return inner.append(entries, () => {});
        },
      }),
    },
  ],
  [
    "takes what it finds after a kill for durable",
    "what is read after a kill is durable, also entries that the process before had not synced",
    { disk: (_, life) => (life === 2 ? { sync: () => {} } : {}) },
  ],
  [
    "syncs what it appends, and not what it found",
    "what is appended after a kill is durable with all that was read before it",
    { disk: (_, life) => (life === 2 ? { sync: () => {} } : {}) },
  ],
  [
    "syncs no names, of what it writes or finds",
    "a vote that is read after a kill is durable, also one whose saving had not ended",
    { disk: () => ({ syncDirectory: () => {} }) },
  ],
  [
    "saves the term before the vote",
    "a crash at any step of a vote leaves the old one or the new one",
    {
      log: (inner) => ({
        saveVote: async (vote) => {
          await inner.saveVote({ term: vote.term, votedFor: null, committed: false });
          await inner.saveVote(vote);
        },
      }),
    },
  ],
  [
    "makes room for an entry before it writes it",
    "a crash at any step of an append of one entry leaves it, or nothing of it",
    {
      log: (inner) => ({
        append: async (entries, done) => {
          const since = lastOf(inner).index + 1;
          await new Promise<void>((resolve) => {
            void inner.append(
              entries.map(({ logId }): Entry => ({ logId, payload: { type: "blank" } })),
              () => resolve(),
            );
          });
          await inner.truncate(since);
          await inner.append(entries, done);
        },
      }),
    },
  ],
  [
    "truncates entry by entry",
    "a crash at any step of a truncation leaves all of what it removes, or none",
    {
      log: (inner) => ({
        truncate: async (since) => {
          for (let index = lastOf(inner).index; index >= since; index--) await inner.truncate(index);
        },
      }),
    },
  ],
  [
    "purges in two goes",
    "a crash at any step of a purge leaves the log as it was or purged, and never with a hole",
    {
      log: (inner) => ({
        purge: async (upto) => {
          await inner.purge({ ...upto, index: upto.index - 10 });
          await inner.purge(upto);
        },
      }),
    },
  ],
  [
    "installs the content before what it stands for",
    "a crash at any step of an installation leaves the old state and snapshot, or the new ones",
    {
      machine: (inner) => ({
        installSnapshot: async ({ meta, data }, pause) => {
          const { term, index } = meta.lastLogId;
          await inner.installSnapshot(
            { meta: { ...meta, lastLogId: { term, index: index - 1 } }, data },
            pause,
          );
          await inner.installSnapshot(
            { meta, data: { size: data.size, read: (offset) => data.read(offset) } },
            pause,
          );
        },
      }),
    },
  ],
  [
    "builds in two goes",
    "a crash at any step of a build leaves the old snapshot or the new one, and no log without either",
    {
      machine: (inner) => ({
        snapshotBuilder: () => ({
          buildSnapshot: async (pause) => {
            const { lastAppliedLogId } = await inner.readAppliedState();
            await (await inner.snapshotBuilder()).buildSnapshot(pause);
            await inner.apply([
              {
                logId: { ...lastAppliedLogId, index: lastAppliedLogId.index + 1 },
                payload: { type: "blank" },
              },
            ]);
            return (await inner.snapshotBuilder()).buildSnapshot(pause);
          },
        }),
      }),
    },
  ],
];

async function verdict(cases: readonly ConformanceCase[], name: string): Promise<string | null> {
  const found = cases.find((one) => one.name === name) as ConformanceCase;
  try {
    await found.run();
    return null;
  } catch (error) {
    if (error instanceof ConformanceError && error.rule === name) return error.problem;
    throw error;
  }
}

describe("storage on a simulated disk", () => {
  for (const { group, name, run } of storageConformance(simFactory()))
    test(`${group}: ${name}`, async () => {
      await expect(run()).resolves.toBeUndefined();
    });
});

describe("the conformance suite of storage, about crashes", () => {
  test.each(BROKEN)("a store that %s is caught: %s", async (_, rule, faults) => {
    const problem = await verdict(storageConformance(simFactory(faults)), rule);
    expect(problem).not.toBeNull();
  });

  test("every case about crashes is shown to fail", () => {
    const crashes = storageConformance(simFactory()).filter(({ group }) => group.startsWith("crash"));
    expect(crashes.length).toBeGreaterThan(0);
    expect(
      crashes.map(({ name }) => name).filter((name) => !BROKEN.some(([, rule]) => rule === name)),
    ).toEqual([]);
  });
});
