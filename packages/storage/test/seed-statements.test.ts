import type { BytesTypeConfig, Request, Response, TypeConfig } from "@seshat/common";
import { describe, expect, expectTypeOf, test } from "vitest";
import { KeyValueStateMachine, OpenRaftMemStorage, OpenRaftStateMachine } from "../src/index.js";
import type {
  RaftLogReader,
  RaftSnapshotBuilder,
  RaftStateMachine,
  RaftStorage,
  StateMachine,
} from "../src/index.js";
import {
  allBytes,
  blank,
  del,
  logId,
  members,
  membershipEntry,
  noPause,
  normal,
  responseOf,
  set,
  text,
  utf8,
} from "./helpers.js";

function setup(): { kv: KeyValueStateMachine; storage: OpenRaftMemStorage } {
  const kv = new KeyValueStateMachine();
  return { kv, storage: new OpenRaftMemStorage(kv) };
}

/** A membership, a set, a set: applied, and in the log. */
function filled(): { kv: KeyValueStateMachine; storage: OpenRaftMemStorage } {
  const { kv, storage } = setup();
  const entries = [
    membershipEntry(0, 1, members(1)),
    normal(1, 2, set("a", "1")),
    normal(1, 3, set("b", "2")),
  ];
  storage.append(entries, () => {});
  storage.stateMachine.apply(entries);
  return { kv, storage };
}

describe("MemStorage remains in-memory", () => {
  test("a new storage knows nothing of one before it", async () => {
    const { storage } = filled();
    storage.saveVote({ term: 1, votedFor: 1, committed: true });
    await storage.stateMachine.snapshotBuilder().buildSnapshot(noPause);
    const { storage: fresh } = setup();
    expect(fresh.readVote()).toBeNull();
    expect(fresh.readLogState()).toEqual({ lastPurgedLogId: logId(0, 0), lastLogId: logId(0, 0) });
    expect(fresh.snapshot).toBeNull();
    expect(fresh.membership.membership.nodes.size).toBe(0);
  });

  test("the same storage goes on where it was: that is what a restart finds", async () => {
    const { kv, storage } = filled();
    storage.saveVote({ term: 1, votedFor: 1, committed: true });
    storage.saveCommitted(logId(1, 3));
    await storage.stateMachine.snapshotBuilder().buildSnapshot(noPause);
    storage.purge(logId(1, 2));
    expect(storage.readVote()).toEqual({ term: 1, votedFor: 1, committed: true });
    expect(storage.readLogState()).toEqual({ lastPurgedLogId: logId(1, 2), lastLogId: logId(1, 3) });
    expect(storage.readCommitted()).toEqual(logId(1, 3));
    expect(storage.stateMachine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 3));
    storage.append([normal(2, 4, del("a"))], () => {});
    expect(text(responseOf(storage.stateMachine.apply(storage.readEntries(4, 4))[0])?.result)).toBe("1");
    expect(kv.size).toBe(1);
  });
});

describe("Implements three critical openraft storage traits", () => {
  test("RaftLogReader, RaftStorage and RaftSnapshotBuilder, and RaftStateMachine beside them", () => {
    const { storage } = setup();
    expectTypeOf(storage).toExtend<RaftStorage<BytesTypeConfig>>();
    expectTypeOf(storage).toExtend<RaftLogReader<BytesTypeConfig>>();
    expectTypeOf(storage.stateMachine).toExtend<RaftStateMachine<BytesTypeConfig>>();
    expectTypeOf(storage.stateMachine.snapshotBuilder()).toExtend<RaftSnapshotBuilder<BytesTypeConfig>>();
    expectTypeOf<KeyValueStateMachine>().toExtend<StateMachine<Request, Response>>();
    // The types are checked when this file is; what can be checked here is that nothing is missing.
    const log = [
      "readIdentity",
      "saveIdentity",
      "readVote",
      "readEntries",
      "readLogState",
      "logReader",
      "saveVote",
      "append",
      "truncate",
      "purge",
    ];
    expect(log.filter((name) => !(name in storage))).toEqual([]);
    const machine = [
      "readAppliedState",
      "apply",
      "snapshotBuilder",
      "readCurrentSnapshot",
      "receiveSnapshot",
      "installSnapshot",
    ];
    expect(machine.filter((name) => !(name in storage.stateMachine))).toEqual([]);
  });

  test("for any commands, responses and nodes, not only bytes", () => {
    interface Where {
      readonly rack: string;
    }
    let sum = 0;
    const adder: StateMachine<number, string> = {
      apply: (_, data) => String((sum += data)),
      capture: () => ({ chunks: () => [] }),
      restore: () => {},
    };
    const storage = new OpenRaftMemStorage<TypeConfig<number, string, Where>>(adder);
    expectTypeOf(storage).toExtend<RaftStorage<TypeConfig<number, string, Where>>>();
    expectTypeOf(storage.stateMachine).toExtend<RaftStateMachine<TypeConfig<number, string, Where>>>();
    storage.append([{ logId: logId(1, 1), payload: { type: "normal", data: 40 } }], () => {});
    expect(storage.stateMachine.apply(storage.readEntries(1, 1))).toEqual(["40"]);
  });

  test("OpenRaftMemStorage holds vote, log, snapshot, state machine and membership", async () => {
    const { kv, storage } = filled();
    storage.saveVote({ term: 1, votedFor: 1, committed: false });
    const snapshot = await storage.stateMachine.snapshotBuilder().buildSnapshot(noPause);
    expect(storage.vote).toEqual({ term: 1, votedFor: 1, committed: false });
    expect(storage.log.length).toBe(3);
    expect(storage.log.get(2)).toEqual(normal(1, 2, set("a", "1")));
    expect(storage.snapshot).toBe(snapshot);
    expect(storage.stateMachine).toBeInstanceOf(OpenRaftStateMachine);
    expect(storage.stateMachine.inner).toBe(kv);
    expect(storage.membership).toEqual({ logId: logId(0, 1), membership: members(1) });
  });
});

describe("Mutation and state tracking", () => {
  test("what was purged is remembered, also when nothing is left", () => {
    const { storage } = filled();
    storage.purge(logId(1, 2));
    expect(storage.readLogState()).toEqual({ lastPurgedLogId: logId(1, 2), lastLogId: logId(1, 3) });
    storage.purge(logId(1, 3));
    expect(storage.readLogState()).toEqual({ lastPurgedLogId: logId(1, 3), lastLogId: logId(1, 3) });
    expect(() => storage.append([blank(1, 1)], () => {})).toThrow("overwrites the log");
    storage.append([blank(1, 4)], () => {});
    expect(storage.readEntries(4, 4)).toEqual([blank(1, 4)]);
  });

  test("truncate is inclusive of its bound", () => {
    const { storage } = filled();
    storage.truncate(2);
    expect(storage.readLogState().lastLogId).toEqual(logId(0, 1));
    expect(storage.log.get(2)).toBeUndefined();
    storage.append([blank(2, 2)], () => {});
    expect(storage.readEntries(1, 2).map((entry) => entry.logId)).toEqual([logId(0, 1), logId(2, 2)]);
  });
});

describe("Idempotent state machine behavior", () => {
  test("entries that are replayed change nothing and answer nothing", () => {
    const { kv, storage } = setup();
    const entries = [normal(1, 1, set("a", "1")), normal(1, 2, del("a")), normal(1, 3, set("a", "2"))];
    const answers = storage.stateMachine.apply(entries);
    expect(answers.map((answer) => text(responseOf(answer)?.result))).toEqual(["OK", "1", "OK"]);
    expect(storage.stateMachine.apply(entries.slice(0, 2))).toEqual([undefined, undefined]);
    expect(text(kv.get(utf8("a")))).toBe("2");
    expect(storage.stateMachine.apply(entries)).toEqual([undefined, undefined, undefined]);
    expect(storage.stateMachine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 3));
  });

  test("replay after a snapshot was installed skips what the snapshot holds", async () => {
    const { storage } = filled();
    const snapshot = await storage.stateMachine.snapshotBuilder().buildSnapshot(noPause);
    const { kv, storage: other } = setup();
    await other.stateMachine.installSnapshot(snapshot);
    const replayed = other.stateMachine.apply([normal(1, 3, set("b", "again")), normal(1, 4, set("c", "3"))]);
    expect(replayed.map((answer) => text(responseOf(answer)?.result))).toEqual([null, "OK"]);
    expect(text(kv.get(utf8("b")))).toBe("2");
  });

  test("a gap is an error", () => {
    const { kv, storage } = filled();
    expect(() => storage.stateMachine.apply([normal(1, 5, set("c", "3"))])).toThrow(
      "entry 1-5 does not follow on 1-3",
    );
    expect(kv.size).toBe(2);
  });

  test("blank and membership entries advance the last applied entry too", () => {
    const { storage } = filled();
    storage.stateMachine.apply([blank(2, 4)]);
    expect(storage.stateMachine.readAppliedState().lastAppliedLogId).toEqual(logId(2, 4));
    storage.stateMachine.apply([membershipEntry(2, 5, members(1, 2))]);
    expect(storage.stateMachine.readAppliedState()).toEqual({
      lastAppliedLogId: logId(2, 5),
      lastMembership: { logId: logId(2, 5), membership: members(1, 2) },
    });
  });

  test("a committed command that makes no sense is a response with an error, never a throw", () => {
    const { storage } = filled();
    const answers = storage.stateMachine.apply([
      { logId: logId(1, 4), payload: { type: "normal", data: { data: Uint8Array.of(0xff) } } },
      normal(1, 5, set("c", "3")),
    ]);
    expect(answers.map((answer) => responseOf(answer)?.error?.code)).toEqual([
      "malformedOperation",
      undefined,
    ]);
    expect(storage.stateMachine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 5));
  });
});

describe("Create snapshots", () => {
  test("a snapshot carries the real last log id and membership, and is kept", async () => {
    const { storage } = filled();
    const snapshot = await storage.stateMachine.snapshotBuilder().buildSnapshot(noPause);
    expect(snapshot.meta.lastLogId).toEqual(logId(1, 3));
    expect(snapshot.meta.lastMembership).toEqual({ logId: logId(0, 1), membership: members(1) });
    expect(storage.stateMachine.readCurrentSnapshot()).toBe(snapshot);
    storage.purge(logId(1, 3));
    expect(storage.snapshot).toBe(snapshot);
  });

  test("a restored snapshot equals the state it came from", async () => {
    const { storage } = filled();
    const snapshot = await storage.stateMachine.snapshotBuilder().buildSnapshot(noPause);
    const { kv, storage: other } = setup();
    await other.stateMachine.installSnapshot(snapshot);
    other.purge(snapshot.meta.lastLogId);
    expect([kv.size, text(kv.get(utf8("a"))), text(kv.get(utf8("b")))]).toEqual([2, "1", "2"]);
    expect(other.stateMachine.readAppliedState()).toEqual(storage.stateMachine.readAppliedState());
    expect(other.readLogState()).toEqual({ lastPurgedLogId: logId(1, 3), lastLogId: logId(1, 3) });
    const copy = await other.stateMachine.snapshotBuilder().buildSnapshot(noPause);
    expect(await allBytes(copy.data.read(0))).toEqual(await allBytes(snapshot.data.read(0)));
  });
});
