import { ZERO_LOG_ID } from "@seshat/common";
import { checkEqual, checkFails } from "./check.js";
import type { StorageRule } from "./storage-bench.js";
import { noPause } from "./storage-bench.js";

export const TRUNCATE_RULES: readonly StorageRule[] = [
  {
    name: "a truncation removes the entry that it names and all after it",
    run: async (bench) => {
      const store = await bench.store();
      await store.append(bench.normals(1, 1, 6));
      await store.log.truncate(4);
      checkEqual("the log", await store.entries(), bench.normals(1, 1, 3));
      const expected = { lastPurgedLogId: ZERO_LOG_ID, lastLogId: { term: 1, index: 3 } };
      checkEqual("the log state", await store.logState(), expected);
      await checkFails("a read of what was truncated", () => store.log.readEntries(4, 4));
    },
  },
  {
    name: "a truncation from the first entry on leaves an empty log, which begins anew",
    run: async (bench) => {
      const store = await bench.store();
      await store.append(bench.normals(1, 1, 3));
      await store.log.truncate(1);
      checkEqual("the last log id", (await store.logState()).lastLogId, ZERO_LOG_ID);
      await store.append([bench.normal(2, 1, 10)]);
      checkEqual("the log", await store.entries(), [bench.normal(2, 1, 10)]);
    },
  },
  {
    name: "a truncation past the end changes nothing",
    run: async (bench) => {
      const store = await bench.store();
      await store.log.truncate(1);
      await store.append(bench.normals(1, 1, 3));
      await store.log.truncate(4);
      await store.log.truncate(100);
      checkEqual("the log", await store.entries(), bench.normals(1, 1, 3));
    },
  },
  {
    name: "a truncation of what was purged is refused, and changes nothing",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 5);
      await store.append(entries);
      await store.purgeBehind(entries, { term: 1, index: 3 });
      await checkFails("a truncation from a purged entry on", () => store.log.truncate(3));
      checkEqual("the log", await store.entries(), entries.slice(3));
    },
  },
  {
    name: "what is appended after a truncation stands alone: nothing of what stood there comes back",
    run: async (bench) => {
      const store = await bench.store();
      await store.append(bench.normals(1, 1, 6));
      await store.log.truncate(3);
      const later = [bench.normal(2, 3, 30), bench.normal(2, 4, 40)];
      await store.append(later);
      checkEqual("the log", await store.entries(), [...bench.normals(1, 1, 2), ...later]);
      checkEqual("the last log id", (await store.logState()).lastLogId, { term: 2, index: 4 });
      await checkFails("a read of what was truncated", () => store.log.readEntries(5, 5));
    },
  },
  {
    name: "a truncation of all that was not purged ends the log with what was",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 5);
      await store.append(entries);
      await store.purgeBehind(entries, { term: 1, index: 3 });
      await store.log.truncate(4);
      const upto = { term: 1, index: 3 };
      checkEqual("the log state", await store.logState(), { lastPurgedLogId: upto, lastLogId: upto });
      await store.append([bench.normal(2, 4, 40)]);
      checkEqual("the log", await store.entries(), [bench.normal(2, 4, 40)]);
    },
  },
];

export const PURGE_RULES: readonly StorageRule[] = [
  {
    name: "a purge removes the entry that it names and all before it, remembers it, and leaves the rest",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 6);
      await store.append(entries);
      await store.purgeBehind(entries, { term: 1, index: 4 });
      checkEqual("the log state", await store.logState(), {
        lastPurgedLogId: { term: 1, index: 4 },
        lastLogId: { term: 1, index: 6 },
      });
      checkEqual("the log", await store.entries(), entries.slice(4));
    },
  },
  {
    name: "what was purged cannot be read",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 6);
      await store.append(entries);
      await store.purgeBehind(entries, { term: 1, index: 4 });
      await checkFails("a read of entry 4", () => store.log.readEntries(4, 4));
      await checkFails("a read of entries 3 to 6", () => store.log.readEntries(3, 6));
    },
  },
  {
    name: "a purge of the whole log is remembered by it, and the log goes on after it",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(2, 1, 4);
      await store.append(entries);
      const upto = { term: 2, index: 4 };
      await store.purgeBehind(entries, upto);
      checkEqual("the log state", await store.logState(), { lastPurgedLogId: upto, lastLogId: upto });
      await checkFails("an append that leaves a hole", () => store.append([bench.normal(2, 6)]));
      await checkFails("an append of what was purged", () => store.append([bench.normal(2, 4)]));
      await store.append([bench.normal(3, 5)]);
      checkEqual("the log", await store.entries(), [bench.normal(3, 5)]);
    },
  },
  {
    name: "a purge past the end empties the log, which goes on after it",
    run: async (bench) => {
      const store = await bench.store();
      await store.append(bench.normals(1, 1, 3));
      const upto = { term: 4, index: 9 };
      const { snapshot } = await bench.snapshotUpto(upto);
      await store.machine.installSnapshot(snapshot, noPause);
      await store.log.purge(upto);
      checkEqual("the log state", await store.logState(), { lastPurgedLogId: upto, lastLogId: upto });
      await store.append([bench.normal(4, 10)]);
      checkEqual("the log", await store.entries(), [bench.normal(4, 10)]);
    },
  },
  {
    name: "a purge of what was purged before changes nothing",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 5);
      await store.append(entries);
      await store.log.purge(ZERO_LOG_ID);
      checkEqual("the log", await store.entries(), entries);
      await store.purgeBehind(entries, { term: 1, index: 3 });
      await store.log.purge({ term: 1, index: 3 });
      await store.log.purge({ term: 1, index: 1 });
      checkEqual("what was purged", (await store.logState()).lastPurgedLogId, { term: 1, index: 3 });
      checkEqual("the log", await store.entries(), entries.slice(3));
    },
  },
];
