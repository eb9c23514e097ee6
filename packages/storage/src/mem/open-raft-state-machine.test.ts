import type { LogEntry, Snapshot } from "@seshat/common";
import {
  BLANK_PAYLOAD,
  CodecError,
  EMPTY_STORED_MEMBERSHIP,
  StorageError,
  ZERO_LOG_ID,
} from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allBytes,
  NO_SECTION,
  blank,
  contentOf,
  inChunks,
  logId,
  members,
  membershipEntry,
  noPause,
  responseOf,
  text,
  utf8,
  withoutSessions,
} from "../../test/helpers.js";
import type { StateCapture, StateMachine } from "../state-machine.js";
import { MemSnapshotData } from "./mem-snapshot-data.js";
import { OpenRaftStateMachine } from "./open-raft-state-machine.js";

type Entry = LogEntry<string>;

function word(term: number, index: number, data: string): Entry {
  return { logId: { term, index }, payload: { type: "normal", data } };
}

/** Writes down what is applied; refuses to capture, restore or apply when told to. */
class Notebook implements StateMachine<string, string> {
  lines: string[] = [];
  work = 0;
  /** Each chunk of each capture waits for this. */
  gate: Promise<void> = Promise.resolve();

  apply(index: number, data: string): string {
    if (data === "throw") throw new RangeError("no such page");
    this.lines.push(`${index}=${data}`);
    this.work = data === "long" ? 25_000_000 : 1000;
    return data.toUpperCase();
  }

  capture(): StateCapture {
    const lines = this.lines.join("\n");
    const gate = this.gate;
    return {
      async *chunks(): AsyncGenerator<Uint8Array> {
        await gate;
        if (lines.includes("unwritable")) throw new RangeError("cannot be written");
        yield utf8(lines);
      },
    };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const content = text(await allBytes(chunks)) as string;
    if (content.includes("damaged")) throw new CodecError("notebook", 0, "damaged");
    if (content.includes("unreadable")) throw new RangeError("cannot be read");
    await this.gate;
    this.lines = content === "" ? [] : content.split("\n");
  }
}

function notebook(): { inner: Notebook; machine: OpenRaftStateMachine<string, string> } {
  const inner = new Notebook();
  return { inner, machine: new OpenRaftStateMachine<string, string>(inner) };
}

function gate(): { promise: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

function snapshotOf(term: number, index: number, content: string): Snapshot {
  const lastMembership = { logId: logId(1, 1), membership: members(1, 2, 3) };
  return {
    meta: { lastLogId: logId(term, index), lastMembership, snapshotId: "theirs" },
    data: contentOf(withoutSessions(utf8(content))),
  };
}

describe("apply", () => {
  test("a new state machine has applied nothing and belongs to nobody", () => {
    const { machine } = notebook();
    expect(machine.readAppliedState()).toEqual({
      lastAppliedLogId: ZERO_LOG_ID,
      lastMembership: EMPTY_STORED_MEMBERSHIP,
    });
    expect(machine.readCurrentSnapshot()).toBeNull();
  });

  test("answers each entry in its place, and advances on entries of every kind", () => {
    const { inner, machine } = notebook();
    const membership = members(1, 2);
    const entries: Entry[] = [
      { logId: logId(0, 1), payload: { type: "membership", membership } },
      { logId: logId(1, 2), payload: BLANK_PAYLOAD },
      word(1, 3, "a"),
    ];
    expect(machine.apply(entries.slice(0, 1))).toEqual([undefined]);
    expect(machine.readAppliedState().lastAppliedLogId).toEqual(logId(0, 1));
    expect(machine.apply(entries.slice(1, 2))).toEqual([undefined]);
    expect(machine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 2));
    expect(machine.apply(entries)).toEqual([undefined, undefined, "A"]);
    expect(machine.readAppliedState()).toEqual({
      lastAppliedLogId: logId(1, 3),
      lastMembership: { logId: logId(0, 1), membership },
    });
    expect(inner.lines).toEqual(["3=a"]);
  });

  test("what takes long ends the call: the rest is applied when it is given again", () => {
    const { inner, machine } = notebook();
    const log = ["a", "long", "b", "long", "c"].map((data, i) => word(1, i + 1, data));
    expect(machine.apply(log)).toEqual(["A", "LONG"]);
    expect(machine.readAppliedState().lastAppliedLogId.index).toBe(2);
    expect(machine.apply(log.slice(1))).toEqual([undefined, "B", "LONG"]);
    expect(machine.apply(log.slice(4))).toEqual(["C"]);
    expect(inner.lines).toEqual(["1=a", "2=long", "3=b", "4=long", "5=c"]);
    // Many that take a little, too.
    const many = Array.from({ length: 30_000 }, (_, i) => word(1, i + 6, "x"));
    expect(machine.apply(many)).toHaveLength(20_001);
  });

  test("a gap before the entries or between them is an error, and nothing is applied", () => {
    const { inner, machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    for (const entries of [
      [word(1, 3, "c")],
      [word(1, 2, "b"), word(1, 4, "d")],
      [word(1, Number.NaN, "x")],
    ]) {
      expect(() => machine.apply(entries)).toThrow(StorageError);
      expect(() => machine.apply(entries)).toThrow(/does not follow on/);
    }
    expect(inner.lines).toEqual(["1=a"]);
    expect(machine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 1));
  });

  test("a term that falls is an error, for no log has one", () => {
    const { machine } = notebook();
    machine.apply([word(2, 1, "a")]);
    expect(() => machine.apply([word(1, 2, "b")])).toThrow("entry 1-2 does not follow on 2-1");
  });

  test("when the application throws, the error says at which entry, and what came before it stays applied", () => {
    const { machine } = notebook();
    const apply = (): unknown => machine.apply([word(1, 1, "a"), word(1, 2, "throw"), word(1, 3, "c")]);
    expect(apply).toThrow(
      expect.objectContaining({
        name: "StorageError",
        verb: "apply",
        message: "storage failed to apply: entry 1-2: no such page",
        cause: new RangeError("no such page"),
      }),
    );
    expect(machine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 1));
  });

  test("any entries, replayed in any way that leaves no gap, are applied once each and in order", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 20 }),
        (length, ranges) => {
          const { inner, machine } = notebook();
          const log = Array.from({ length }, (_, at) => word(1, at + 1, `w${at}`));
          const answers = new Map<number, string>();
          for (const [from, count] of [...ranges, [0, length] as const]) {
            const applied = machine.readAppliedState().lastAppliedLogId.index;
            const batch = log.slice(Math.min(from, applied), Math.min(from, applied) + count);
            machine
              .apply(batch)
              .map(responseOf)
              .forEach((answer, at) => {
                const index = (batch[at] as Entry).logId.index;
                expect(answer === undefined).toBe(index <= applied);
                if (answer !== undefined) answers.set(index, answer);
              });
          }
          expect(inner.lines).toEqual(log.map((_, at) => `${at + 1}=w${at}`));
          expect(answers.size).toBe(length);
        },
      ),
    );
  });
});

describe("building a snapshot", () => {
  test("gives the content, the last log id and the membership of the moment of the capture, and keeps it", async () => {
    const { machine } = notebook();
    const membership = members(1, 2, 3);
    machine.apply([{ logId: logId(1, 1), payload: { type: "membership", membership } }, word(2, 2, "a")]);
    const builder = machine.snapshotBuilder();
    machine.apply([
      word(2, 3, "b"),
      { logId: logId(2, 4), payload: { type: "membership", membership: members(1) } },
    ]);
    const snapshot = await builder.buildSnapshot(noPause);
    expect(snapshot.meta.lastLogId).toEqual(logId(2, 2));
    expect(snapshot.meta.lastMembership).toEqual({ logId: logId(1, 1), membership });
    expect(text(await allBytes(snapshot.data.read(NO_SECTION.length)))).toBe("2=a");
    expect(machine.readCurrentSnapshot()).toBe(snapshot);
  });

  test("applies go on while a snapshot is built", async () => {
    const { inner, machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const { promise, open } = gate();
    inner.gate = promise;
    const building = machine.snapshotBuilder().buildSnapshot(noPause);
    expect(machine.apply([word(1, 2, "b")])).toEqual(["B"]);
    expect(machine.readCurrentSnapshot()).toBeNull();
    open();
    const snapshot = await building;
    expect(snapshot.meta.lastLogId).toEqual(logId(1, 1));
    expect(text(await allBytes(snapshot.data.read(NO_SECTION.length)))).toBe("1=a");
  });

  test("a build that ends after a newer one does not take its place", async () => {
    const { inner, machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const { promise, open } = gate();
    inner.gate = promise;
    const slow = machine.snapshotBuilder().buildSnapshot(noPause);
    inner.gate = Promise.resolve();
    machine.apply([word(1, 2, "b")]);
    const newer = await machine.snapshotBuilder().buildSnapshot(noPause);
    open();
    expect((await slow).meta.lastLogId).toEqual(logId(1, 1));
    expect(machine.readCurrentSnapshot()).toBe(newer);
  });

  test("a build that ends after a newer snapshot was installed does not take its place", async () => {
    const { inner, machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const { promise, open } = gate();
    inner.gate = promise;
    const slow = machine.snapshotBuilder().buildSnapshot(noPause);
    inner.gate = Promise.resolve();
    await machine.installSnapshot(snapshotOf(3, 9, "9=z"));
    open();
    await slow;
    expect(machine.readCurrentSnapshot()?.meta.lastLogId).toEqual(logId(3, 9));
    expect(inner.lines).toEqual(["9=z"]);
  });

  test("snapshot ids tell captures apart and are the same in every run", async () => {
    const ids = async (): Promise<string[]> => {
      const { machine } = notebook();
      machine.apply([word(3, 1, "a")]);
      const builders = [machine.snapshotBuilder(), machine.snapshotBuilder()];
      const snapshots = await Promise.all(builders.map(async (builder) => builder.buildSnapshot(noPause)));
      return snapshots.map((snapshot) => snapshot.meta.snapshotId);
    };
    expect(new Set(await ids()).size).toBe(2);
    expect(await ids()).toEqual(await ids());
  });

  test("a state that cannot be written is a storage error with its cause, and the snapshot before it stands", async () => {
    const { machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const before = await machine.snapshotBuilder().buildSnapshot(noPause);
    machine.apply([word(1, 2, "unwritable")]);
    await expect(machine.snapshotBuilder().buildSnapshot(noPause)).rejects.toMatchObject({
      name: "StorageError",
      verb: "build snapshot",
      cause: new RangeError("cannot be written"),
    });
    expect(machine.readCurrentSnapshot()).toBe(before);
  });
});

describe("installing a snapshot", () => {
  test("replaces the content, the last applied entry, the membership and the current snapshot", async () => {
    const { inner, machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const snapshot = snapshotOf(2, 7, "6=f\n7=g");
    await machine.installSnapshot(snapshot);
    expect(inner.lines).toEqual(["6=f", "7=g"]);
    expect(machine.readAppliedState()).toEqual({
      lastAppliedLogId: logId(2, 7),
      lastMembership: snapshot.meta.lastMembership,
    });
    const current = machine.readCurrentSnapshot() as Snapshot;
    expect(current.meta).toEqual(snapshot.meta);
    expect(text(await allBytes(current.data.read(NO_SECTION.length)))).toBe("6=f\n7=g");
    expect(machine.apply([word(2, 7, "again"), word(2, 8, "h")])).toEqual([undefined, "H"]);
  });

  test.each([
    ["of an older entry", snapshotOf(1, 2, "2=x")],
    ["of an older entry that claims a later term", snapshotOf(9, 2, "2=x")],
    ["of the same index in an older term", snapshotOf(1, 3, "3=x")],
  ])("a snapshot %s than what is applied is refused", async (_, snapshot) => {
    const { inner, machine } = notebook();
    machine.apply([word(1, 1, "a"), word(1, 2, "b"), word(2, 3, "c")]);
    const install = machine.installSnapshot(snapshot);
    await expect(install).rejects.toBeInstanceOf(StorageError);
    await expect(install).rejects.toThrow(/it ends at .*, but 2-3 is applied already/);
    expect(inner.lines).toHaveLength(3);
    expect(machine.readCurrentSnapshot()).toBeNull();
  });

  test("a snapshot of just what is applied is welcome", async () => {
    const { machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    await machine.installSnapshot(snapshotOf(1, 1, "1=a"));
    expect(machine.readCurrentSnapshot()?.meta.lastLogId).toEqual(logId(1, 1));
  });

  test.each([
    ["damaged content", snapshotOf(2, 7, "7=damaged"), "CodecError"],
    ["a restore that fails", snapshotOf(2, 7, "7=unreadable"), "StorageError"],
    [
      "content that is cut off",
      { ...snapshotOf(2, 7, ""), data: contentOf(withoutSessions(utf8("7=g")), 12) },
      "CodecError",
    ],
  ])(
    "after %s the old state, its log id and its snapshot stand, and work goes on",
    async (_, snapshot, error) => {
      const { inner, machine } = notebook();
      machine.apply([word(1, 1, "a")]);
      const before = await machine.snapshotBuilder().buildSnapshot(noPause);
      await expect(machine.installSnapshot(snapshot)).rejects.toMatchObject({ name: error });
      expect(inner.lines).toEqual(["1=a"]);
      expect(machine.readAppliedState()).toEqual({
        lastAppliedLogId: logId(1, 1),
        lastMembership: EMPTY_STORED_MEMBERSHIP,
      });
      expect(machine.readCurrentSnapshot()).toBe(before);
      expect(machine.apply([word(1, 2, "b")])).toEqual(["B"]);
    },
  );

  test("nothing is applied, captured or installed meanwhile, for it would mix two states", async () => {
    const { inner, machine } = notebook();
    const { promise, open } = gate();
    inner.gate = promise;
    const installing = machine.installSnapshot(snapshotOf(2, 7, "7=g"));
    expect(() => machine.apply([word(1, 1, "a")])).toThrow("a snapshot is being installed");
    expect(() => machine.snapshotBuilder()).toThrow("a snapshot is being installed");
    await expect(machine.installSnapshot(snapshotOf(2, 8, "8=h"))).rejects.toThrow(
      "a snapshot is being installed",
    );
    open();
    await installing;
    expect(inner.lines).toEqual(["7=g"]);
    expect(machine.apply([word(2, 8, "h")])).toEqual(["H"]);
  });
});

test("the application's state machine can be read", () => {
  const { inner, machine } = notebook();
  expect(machine.inner).toBe(inner);
});

test("entries of bytes go through as they are", () => {
  const machine = new OpenRaftStateMachine<{ data: Uint8Array }, number>({
    apply: (index, request) => index * request.data.length,
    capture: () => ({ chunks: () => [] }),
    restore: () => {},
  });
  machine.apply([blank(1, 1), membershipEntry(1, 2, members(1))]);
  expect(
    machine.apply([{ logId: logId(1, 3), payload: { type: "normal", data: { data: utf8("ab") } } }]),
  ).toEqual([6]);
});

test("a build lets others have their turn after every chunk", async () => {
  const chunks = 5;
  let pauses = 0;
  const machine = new OpenRaftStateMachine<string, number>({
    apply: () => 0,
    capture: () => ({ chunks: () => Array.from({ length: chunks }, (_, i) => Uint8Array.of(i)) }),
    restore: () => {},
  });
  machine.apply([word(1, 1, "a")]);
  await machine.snapshotBuilder().buildSnapshot(async () => {
    pauses += 1;
  });
  // One more chunk says that there are no sessions.
  expect(pauses).toBe(chunks + 1);
});

describe("a snapshot that comes by a sink", () => {
  /** Sends a snapshot as a leader does: in parts of `length` bytes. */
  async function receive(
    machine: OpenRaftStateMachine<string, string>,
    { meta, data }: Snapshot,
    length: number,
  ): Promise<Snapshot> {
    const sink = machine.receiveSnapshot(meta, data.size);
    for await (const part of inChunks(await allBytes(data.read(0)), length)) await sink.write(part);
    return { meta, data: await sink.finish() };
  }

  test.each([1, 5, 64, 10_000])(
    "of another store, in parts of %d bytes, leads to an equal state, and to an equal snapshot",
    async (length) => {
      const { inner, machine } = notebook();
      machine.apply([
        { logId: logId(1, 1), payload: { type: "membership", membership: members(1, 2, 3) } },
        ...Array.from({ length: 40 }, (_, at) => word(2, at + 2, `word ${at}`)),
      ]);
      const snapshot = await machine.snapshotBuilder().buildSnapshot(noPause);
      const other = notebook();
      other.machine.apply([word(1, 1, "to be forgotten")]);
      await other.machine.installSnapshot(await receive(other.machine, snapshot, length), noPause);
      expect(other.inner.lines).toEqual(inner.lines);
      expect(other.machine.readAppliedState()).toEqual(machine.readAppliedState());
      const current = other.machine.readCurrentSnapshot() as Snapshot;
      expect(current.meta).toEqual(snapshot.meta);
      expect(await allBytes(current.data.read(0))).toEqual(await allBytes(snapshot.data.read(0)));
      const next = word(2, 42, "next");
      expect(other.machine.apply([next])).toEqual(machine.apply([next]));
      const [built, theirs] = await Promise.all(
        [other.machine, machine].map(async (each) => each.snapshotBuilder().buildSnapshot(noPause)),
      );
      expect(await allBytes((built as Snapshot).data.read(0))).toEqual(
        await allBytes((theirs as Snapshot).data.read(0)),
      );
    },
  );

  test("is kept as it came, without another copy", async () => {
    const { machine } = notebook();
    const received = await receive(machine, snapshotOf(2, 7, "7=g"), 4);
    await machine.installSnapshot(received, noPause);
    expect(machine.readCurrentSnapshot()?.data).toBe(received.data);
  });

  test("changes nothing until it is installed, and nothing ever when it is given up", async () => {
    const { inner, machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const before = await machine.snapshotBuilder().buildSnapshot(noPause);
    const sink = machine.receiveSnapshot(snapshotOf(2, 7, "7=g").meta, 11);
    await sink.write(withoutSessions(utf8("7=g")));
    expect(machine.apply([word(1, 2, "b")])).toEqual(["B"]);
    await sink.finish();
    const givenUp = machine.receiveSnapshot(snapshotOf(2, 8, "8=h").meta, 11);
    await givenUp.discard();
    expect(machine.readCurrentSnapshot()).toBe(before);
    expect(inner.lines).toEqual(["1=a", "2=b"]);
    expect(machine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 2));
  });

  test("is taken up to the size that was announced", () => {
    const { machine } = notebook();
    const { meta } = snapshotOf(2, 7, "7=g");
    expect(() => machine.receiveSnapshot(meta, 2).write(utf8("abc"))).toThrow("3 bytes came of 2");
    expect(() => machine.receiveSnapshot(meta, Number.NaN)).toThrow(/^size is NaN/);
  });
});

describe("a snapshot that another has replaced", () => {
  test("can be read on, and from the beginning, by whoever holds it", async () => {
    const { machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const old = await machine.snapshotBuilder().buildSnapshot(noPause);
    const content = await allBytes(old.data.read(0));
    const reading = old.data.read(0)[Symbol.asyncIterator]();
    const first = (await reading.next()).value as Uint8Array;
    machine.apply([word(1, 2, "b")]);
    await machine.snapshotBuilder().buildSnapshot(noPause);
    await machine.installSnapshot(snapshotOf(3, 9, "9=z"), noPause);
    const rest = await allBytes({ [Symbol.asyncIterator]: () => reading });
    expect(Uint8Array.of(...first, ...rest)).toEqual(content);
    expect(await allBytes(old.data.read(0))).toEqual(content);
  });

  test("and the current one itself, can be installed again, as after a restart of a state that was only in memory", async () => {
    const { machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const snapshot = await machine.snapshotBuilder().buildSnapshot(noPause);
    const restarted = notebook();
    await restarted.machine.installSnapshot(snapshot, noPause);
    await restarted.machine.installSnapshot(restarted.machine.readCurrentSnapshot() as Snapshot, noPause);
    expect(restarted.inner.lines).toEqual(["1=a"]);
    expect(await allBytes(snapshot.data.read(NO_SECTION.length))).toEqual(utf8("1=a"));
  });
});

describe("an installation lets timers and sockets have their turn", () => {
  /** Counts the chunks that it restores, and nothing else. */
  function counter(): { restored: () => number; machine: OpenRaftStateMachine<string, number> } {
    let restored = 0;
    const machine = new OpenRaftStateMachine<string, number>({
      apply: () => 0,
      capture: () => ({ chunks: () => [] }),
      async restore(chunks) {
        for await (const _ of chunks) restored += 1;
      },
    });
    return { restored: () => restored, machine };
  }

  /** A snapshot of `count` chunks, after the one that says that there are no sessions. */
  function large(count: number): Snapshot {
    const chunks = Array.from({ length: count }, (_, at) => Uint8Array.of(at));
    return { ...snapshotOf(2, 7, ""), data: MemSnapshotData.of([NO_SECTION, ...chunks]) };
  }

  test("after each chunk of a content that is in memory", async () => {
    const { restored, machine } = counter();
    const pausedAt: number[] = [];
    await machine.installSnapshot(large(100), async () => {
      pausedAt.push(restored());
    });
    // The first one is after the section of the sessions; then there is one after every chunk.
    expect(pausedAt).toEqual(Array.from({ length: 101 }, (_, at) => at));
  });

  test("after each chunk that is copied, and again after each that is restored, when it comes from elsewhere", async () => {
    const { restored, machine } = counter();
    const pausedAt: number[] = [];
    // 8 bytes of section and 62 of content: ten chunks of 7.
    const snapshot = { ...snapshotOf(2, 7, ""), data: contentOf(withoutSessions(new Uint8Array(62))) };
    await machine.installSnapshot(snapshot, async () => {
      pausedAt.push(restored());
    });
    expect(pausedAt).toHaveLength(20);
    expect(pausedAt.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 0));
    expect(pausedAt.at(-1)).toBe(9);
  });

  test("and nothing is applied in those turns, while reads of what is there go on", async () => {
    const { machine } = counter();
    machine.apply([word(1, 1, "a")]);
    const seen = new Set<number>();
    await machine.installSnapshot(large(10), async () => {
      seen.add(machine.readAppliedState().lastAppliedLogId.index);
      expect(() => machine.apply([word(1, 2, "b")])).toThrow("a snapshot is being installed");
    });
    expect([...seen]).toEqual([1]);
    expect(machine.readAppliedState().lastAppliedLogId).toEqual(logId(2, 7));
  });

  test("a pause that fails ends it, and the old state stands", async () => {
    const { inner, machine } = notebook();
    machine.apply([word(1, 1, "a")]);
    const failing = machine.installSnapshot(snapshotOf(2, 7, "7=g"), () =>
      Promise.reject(new Error("shut down")),
    );
    await expect(failing).rejects.toMatchObject({
      name: "StorageError",
      verb: "install snapshot",
      problem: "shut down",
    });
    expect(inner.lines).toEqual(["1=a"]);
    expect(machine.apply([word(1, 2, "b")])).toEqual(["B"]);
  });
});
