import type { RaftTypeConfig } from "@seshat/common";
import { ZERO_LOG_ID, createMembership } from "@seshat/common";
import { check, checkEqual, checkFails } from "./check.js";
import type { StorageBench, StorageRule } from "./storage-bench.js";
import { readAll } from "./storage-bench.js";

const UNTOUCHED = { lastPurgedLogId: ZERO_LOG_ID, lastLogId: ZERO_LOG_ID };
const MANY = 5000;
const MAX = Number.MAX_SAFE_INTEGER;

/** Entries of every kind, from index 1 on. */
function everyKind<C extends RaftTypeConfig>(bench: StorageBench<C>): C["Entry"][] {
  const joint = createMembership(
    [
      [1, 2],
      [2, 3],
    ],
    bench.nodes(1, 2, 3, 4),
    {
      leaving: [1],
      incarnations: [
        [1, MAX],
        [3, 5],
      ],
    },
  );
  return [
    bench.entry(0, 1, { type: "membership", membership: bench.members(1, 2) }),
    bench.blank(1, 2),
    bench.normal(1, 3),
    bench.entry(1, 4, { type: "openSession", expiresAfter: 1000 }),
    bench.entry(1, 5, {
      type: "normal",
      data: bench.command(5),
      session: { sessionId: 4, sequence: MAX, answeredBelow: 1 },
    }),
    bench.entry(2, 6, { type: "membership", membership: joint }),
    bench.normal(MAX, 7),
  ];
}

export const LOG_RULES: readonly StorageRule[] = [
  {
    name: "a new log is empty, and nothing of it was purged",
    run: async (bench) => {
      const { log } = await bench.emptyStore();
      checkEqual("the log state", await log.readLogState(), UNTOUCHED);
    },
  },
  {
    name: "entries of every kind are read back as they were appended",
    run: async (bench) => {
      const store = await bench.store();
      const entries = everyKind(bench);
      await store.append(entries);
      checkEqual("the log", await store.entries(), entries);
    },
  },
  {
    name: "the log ends with the last entry that was appended",
    run: async (bench) => {
      const store = await bench.store();
      await store.append([bench.normal(1, 1)]);
      await store.append([bench.normal(1, 2), bench.normal(3, 3)]);
      checkEqual("the log state", await store.logState(), { ...UNTOUCHED, lastLogId: { term: 3, index: 3 } });
    },
  },
  {
    name: "entries can be read when append ends, whether they are durable or not",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 3);
      const { durable } = await store.begin(entries);
      checkEqual("the log", await store.entries(), entries);
      await durable;
    },
  },
  {
    name: "each append is reported durable exactly once, though the next begins before",
    run: async (bench) => {
      const store = await bench.store();
      const reports = [0, 0, 0, 0];
      const all = Promise.withResolvers<void>();
      for (const i of reports.keys()) {
        await store.log.append([bench.normal(1, i + 1)], (error) => {
          if (error !== null) all.reject(error);
          reports[i] = (reports[i] as number) + 1;
          if (reports.every((count) => count > 0)) all.resolve();
        });
      }
      await all.promise;
      // What comes twice has come by the end of a later write.
      await store.log.saveVote({ term: 1, votedFor: 1, committed: false });
      checkEqual("the number of reports of each append", reports, [1, 1, 1, 1]);
    },
  },
  {
    name: "entries that would leave a hole are refused, and change nothing",
    run: async (bench) => {
      const store = await bench.store();
      await checkFails("entry 2 of an empty log", () => store.append([bench.normal(1, 2)]));
      const entries = bench.normals(1, 1, 2);
      await store.append(entries);
      await checkFails("entry 4 after 2", () => store.append([bench.normal(1, 4)]));
      await checkFails("entry 5 after 3", () => store.append([bench.normal(1, 3), bench.normal(1, 5)]));
      checkEqual("the log", await store.entries(), entries);
    },
  },
  {
    name: "entries that would overwrite others are refused, and change nothing",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 3);
      await store.append(entries);
      await checkFails("entry 3 after 3", () => store.append([bench.normal(2, 3, 30)]));
      await checkFails("entry 1 after 3", () => store.append([bench.normal(2, 1, 10)]));
      checkEqual("the log", await store.entries(), entries);
    },
  },
  {
    name: "a range is read with both its ends, and an empty one is empty",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 5);
      await store.append(entries);
      checkEqual("entries 2 to 4", await readAll(store.log, 2, 4), entries.slice(1, 4));
      checkEqual("entries 5 to 5", await readAll(store.log, 5, 5), entries.slice(4));
      checkEqual("entries 3 to 2", await store.log.readEntries(3, 2), []);
      checkEqual("entries 9 to 1", await store.log.readEntries(9, 1), []);
    },
  },
  {
    name: "a read of many entries gives the first of them, at least one, and in the end all",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, MANY);
      await store.append(entries.slice(0, 10));
      await store.append(entries.slice(10));
      checkEqual("the log", await store.entries(), entries);
      checkEqual("the end of it", await readAll(store.log, 8, MANY), entries.slice(7));
    },
  },
  {
    name: "a read of entries that are not there is an error",
    run: async (bench) => {
      const store = await bench.store();
      await checkFails("a read of an empty log", () => store.log.readEntries(1, 1));
      await store.append(bench.normals(1, 1, 3));
      await checkFails("a read past the end", () => store.log.readEntries(4, 4));
      await checkFails("a read that goes on past the end", () => store.log.readEntries(2, 4));
    },
  },
  {
    name: "a hint of what is committed is the last one saved, if it is kept",
    run: async (bench) => {
      const { log } = await bench.store();
      const isKept = log.readCommitted !== undefined;
      const both = (log.saveCommitted !== undefined) === isKept;
      check(both, "of saveCommitted and readCommitted there is only one");
      checkEqual("the hint of a new store", (await log.readCommitted?.()) ?? null, null);
      for (const hint of [
        { term: 1, index: 2 },
        { term: 3, index: MAX },
      ]) {
        await log.saveCommitted?.(hint);
        if (isKept) checkEqual("the hint", await log.readCommitted?.(), hint);
      }
    },
  },
  {
    name: "the memberships among some entries are found as a read of these entries finds them, if they are looked for at all",
    run: async (bench) => {
      const store = await bench.store();
      const { log } = store;
      const entries = [
        ...everyKind(bench),
        ...bench.normals(MAX, 8, MANY),
        bench.membershipEntry(MAX, MANY + 1, 1, 3),
      ];
      for (let at = 0; at < entries.length; at += 700) await store.append(entries.slice(at, at + 700));
      if (log.readMemberships === undefined) return;
      for (const [since, upto] of [
        [1, MANY + 1],
        [2, MANY],
        [6, 6],
        [3, 5],
        [7, MANY + 1],
        [MANY + 1, MANY + 1],
        [5, 4],
      ] as const) {
        const expected = entries
          .slice(since - 1, upto)
          .flatMap(({ logId, payload }) =>
            payload.type === "membership" ? [{ logId, membership: payload.membership }] : [],
          );
        checkEqual(`memberships ${since} to ${upto}`, await log.readMemberships(since, upto), expected);
      }
      const find = log.readMemberships.bind(log);
      await checkFails("a search past the end", async () => find(MANY, MANY + 2));
      await log.purge({ term: MAX, index: 7 });
      await checkFails("a search among what was purged", async () => find(7, MANY + 1));
      checkEqual("what is left", (await find(8, MANY + 1)).length, 1);
    },
  },
];

export const READER_RULES: readonly StorageRule[] = [
  {
    name: "a reader sees what is written after it was made",
    run: async (bench) => {
      const store = await bench.store();
      const reader = store.log.logReader();
      await store.append(bench.normals(1, 1, 3));
      checkEqual("entries 1 to 3", await readAll(reader, 1, 3), bench.normals(1, 1, 3));
      await store.log.truncate(2);
      await store.append([bench.normal(2, 2, 20)]);
      checkEqual("entry 2, written again", await readAll(reader, 2, 2), [bench.normal(2, 2, 20)]);
    },
  },
  {
    name: "several readers work beside the writer, and each gets what it asked for",
    run: async (bench) => {
      const store = await bench.store();
      await store.append(bench.normals(1, 1, 50));
      const progress = { isWriting: true };
      const read = async (since: number): Promise<void> => {
        const reader = store.log.logReader();
        const expected = bench.normals(1, since, 50);
        for (let n = 0; n < 200 && (progress.isWriting || n === 0); n++) {
          checkEqual(`entries ${since} to 50`, await readAll(reader, since, 50), expected);
        }
      };
      const write = async (): Promise<void> => {
        for (let index = 51; index <= 80; index++) {
          await store.append([bench.normal(1, index)]);
          if (index % 10 === 0) await store.log.truncate(index);
          if (index % 10 === 0) await store.append([bench.normal(2, index)]);
          if (index % 10 === 0) await store.log.truncate(index);
          if (index % 10 === 0) await store.append([bench.normal(1, index)]);
        }
        progress.isWriting = false;
      };
      await Promise.all([read(1), read(10), read(50), write()]);
      checkEqual("the log", await store.entries(), bench.normals(1, 1, 80));
    },
  },
];
