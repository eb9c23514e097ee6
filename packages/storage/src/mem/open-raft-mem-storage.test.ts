import { StorageError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { blank, logId } from "../../test/helpers.js";
import { KeyValueStateMachine } from "../kv/key-value-state-machine.js";
import { OpenRaftMemStorage } from "./open-raft-mem-storage.js";

function storageOf(count: number): OpenRaftMemStorage {
  const storage = new OpenRaftMemStorage(new KeyValueStateMachine());
  const entries = Array.from({ length: count }, (_, at) => blank(1, at + 1));
  if (count > 0) storage.append(entries, () => {});
  return storage;
}

describe("the identity", () => {
  const identity = { clusterId: "blue", nodeId: 2, incarnation: 77 };

  test("is null until it was saved, and goes to the next node over the same storage", () => {
    const storage = storageOf(0);
    expect(storage.readIdentity()).toBeNull();
    storage.saveIdentity(identity);
    expect(storage.readIdentity()).toEqual(identity);
    expect(storageOf(0).readIdentity()).toBeNull();
  });

  test.each([
    ["another", { clusterId: "red", nodeId: 3, incarnation: 78 }],
    ["another incarnation", { ...identity, incarnation: 78 }],
    ["the same", identity],
  ])("is saved once: %s is refused, and the first stands", (_, second) => {
    const storage = storageOf(0);
    storage.saveIdentity(identity);
    expect(() => storage.saveIdentity(second)).toThrow(StorageError);
    expect(() => storage.saveIdentity(second)).toThrow(
      "storage failed to save identity: this store has one already",
    );
    expect(storage.readIdentity()).toEqual(identity);
  });

  test("does not change when its caller changes the object that was saved", () => {
    const storage = storageOf(0);
    const mine = { ...identity };
    storage.saveIdentity(mine);
    mine.incarnation = 1;
    expect(storage.readIdentity()).toEqual(identity);
  });

  test("is not lost with the log and the vote that change", () => {
    const storage = storageOf(0);
    storage.saveIdentity(identity);
    storage.saveVote({ term: 1, votedFor: 2, committed: false });
    storage.append([blank(1, 1), blank(1, 2)], () => {});
    storage.truncate(2);
    storage.purge(logId(1, 1));
    expect(storage.readIdentity()).toEqual(identity);
  });
});

describe("the vote", () => {
  test("is null until one was saved, then the last one saved", () => {
    const storage = storageOf(0);
    expect(storage.readVote()).toBeNull();
    storage.saveVote({ term: 1, votedFor: 1, committed: false });
    storage.saveVote({ term: 1, votedFor: 1, committed: true });
    expect(storage.readVote()).toEqual({ term: 1, votedFor: 1, committed: true });
  });

  test.each([
    ["of an older term", { term: 2, votedFor: 2, committed: true }],
    ["for another candidate of the same term", { term: 3, votedFor: 2, committed: false }],
    ["that takes the vote back", { term: 3, votedFor: null, committed: false }],
    ["of no term", { term: Number.NaN, votedFor: 2, committed: false }],
  ])("a vote %s may not follow the stored one, so that no node votes twice in a term", (_, vote) => {
    const storage = storageOf(0);
    storage.saveVote({ term: 3, votedFor: 1, committed: false });
    expect(() => storage.saveVote(vote)).toThrow(StorageError);
    expect(() => storage.saveVote(vote)).toThrow(/may not follow T3:n1$/);
    expect(storage.readVote()).toEqual({ term: 3, votedFor: 1, committed: false });
  });

  test("does not change when its caller changes the object that was saved", () => {
    const storage = storageOf(0);
    const vote = { term: 1, votedFor: 1, committed: false };
    storage.saveVote(vote);
    vote.term = 9;
    expect(storage.vote?.term).toBe(1);
  });
});

describe("the log", () => {
  test("append completes during the call, once, and after the entries can be read", () => {
    const storage = storageOf(0);
    const seen: unknown[] = [];
    storage.append([blank(1, 1), blank(1, 2)], (error) => seen.push(error, storage.readEntries(1, 2)));
    expect(seen).toEqual([null, [blank(1, 1), blank(1, 2)]]);
  });

  test("an append that is refused throws, does not complete, and stores nothing", () => {
    const storage = storageOf(2);
    const completed: unknown[] = [];
    for (const entries of [[], [blank(1, 4)], [blank(1, 2)], [blank(0, 3)]]) {
      expect(() => storage.append(entries, (error) => completed.push(error))).toThrow(StorageError);
    }
    expect(completed).toEqual([]);
    expect(storage.readLogState().lastLogId).toEqual(logId(1, 2));
  });

  test("every answer is there at once, without a promise", () => {
    const storage = storageOf(3);
    expect(storage.readLogState()).toEqual({ lastPurgedLogId: logId(0, 0), lastLogId: logId(1, 3) });
    expect(storage.readEntries(2, 3)).toEqual([blank(1, 2), blank(1, 3)]);
    expect(storage.truncate(3)).toBeUndefined();
    expect(storage.purge(logId(1, 1))).toBeUndefined();
    expect(storage.readLogState()).toEqual({ lastPurgedLogId: logId(1, 1), lastLogId: logId(1, 2) });
  });

  test("one read returns at most 4096 entries, from the first asked for on", () => {
    const storage = storageOf(5000);
    const entries = storage.readEntries(10, 5000);
    expect(entries).toHaveLength(4096);
    expect(entries[0]?.logId.index).toBe(10);
    expect(entries.at(-1)?.logId.index).toBe(4105);
    expect(() => storage.readEntries(10, 5001)).toThrow(StorageError);
  });

  test("a reader sees what the writer does", () => {
    const storage = storageOf(1);
    const reader = storage.logReader();
    storage.append([blank(2, 2)], () => {});
    storage.saveVote({ term: 2, votedFor: 1, committed: true });
    expect(reader.readEntries(1, 2)).toEqual([blank(1, 1), blank(2, 2)]);
    expect(reader.readVote()).toEqual({ term: 2, votedFor: 1, committed: true });
  });

  test("the view of the log shows where it begins and ends", () => {
    const storage = storageOf(5);
    storage.purge(logId(1, 2));
    expect(storage.log.length).toBe(3);
    expect(storage.log.lastPurgedLogId).toEqual(logId(1, 2));
    expect(storage.log.lastLogId).toEqual(logId(1, 5));
    expect(storage.log.get(2)).toBeUndefined();
    expect(storage.log.get(3)).toEqual(blank(1, 3));
    expect(storage.log.read(4, 5)).toEqual([blank(1, 4), blank(1, 5)]);
  });
});

test("the committed hint is null until one was saved, then the last one saved", () => {
  const storage = storageOf(3);
  expect(storage.readCommitted()).toBeNull();
  storage.saveCommitted(logId(1, 1));
  storage.saveCommitted(logId(1, 3));
  expect(storage.readCommitted()).toEqual(logId(1, 3));
});
