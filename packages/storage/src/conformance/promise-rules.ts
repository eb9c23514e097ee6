import { checkEqual, checkFails } from "./check.js";
import type { StorageRule } from "./storage-bench.js";
import { IDENTITY } from "./storage-bench.js";

const MAX = Number.MAX_SAFE_INTEGER;

export const IDENTITY_RULES: readonly StorageRule[] = [
  {
    name: "a new store belongs to nobody",
    run: async (bench) => {
      const { log } = await bench.emptyStore();
      checkEqual("the identity", await log.readIdentity(), null);
    },
  },
  {
    name: "an identity that was saved is read back, whatever its cluster is called",
    run: async (bench) => {
      for (const clusterId of ["blue", "", "Γαῖα 地球 🌍"]) {
        const { log } = await bench.emptyStore();
        const identity = { clusterId, nodeId: MAX, incarnation: MAX };
        await log.saveIdentity(identity);
        checkEqual("the identity", await log.readIdentity(), identity);
      }
    },
  },
  {
    name: "a second identity is refused, and the first stands",
    run: async (bench) => {
      const { log } = await bench.store();
      await checkFails("a second identity", () => log.saveIdentity({ ...IDENTITY, nodeId: 2 }));
      checkEqual("the identity", await log.readIdentity(), IDENTITY);
    },
  },
];

export const VOTE_RULES: readonly StorageRule[] = [
  {
    name: "a new store has no vote",
    run: async (bench) => {
      const { log } = await bench.emptyStore();
      checkEqual("the vote", await log.readVote(), null);
    },
  },
  {
    name: "the last vote that was saved is read back, by readers too",
    run: async (bench) => {
      const { log } = await bench.store();
      const reader = log.logReader();
      for (const vote of [
        { term: 1, votedFor: null, committed: false },
        { term: 1, votedFor: 3, committed: false },
        { term: 1, votedFor: 3, committed: true },
        { term: 9, votedFor: null, committed: false },
        { term: MAX, votedFor: MAX, committed: true },
      ]) {
        await log.saveVote(vote);
        checkEqual("the vote", await log.readVote(), vote);
        checkEqual("the vote that a reader sees", await reader.readVote(), vote);
      }
    },
  },
  {
    name: "a vote changes nothing in the log",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 3);
      await store.append(entries);
      await store.log.saveVote({ term: 7, votedFor: 2, committed: false });
      checkEqual("the log", await store.entries(), entries);
    },
  },
];
