import type { LogId, Snapshot, SnapshotData, SnapshotMeta } from "@seshat/common";
import { CodecError, InvalidValueError, StorageError, createMembership } from "@seshat/common";
import { OpenRaftStateMachine } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { Bench, ListMachine, entry } from "../../test/sim-storage-fixture.js";
import type { Types } from "../../test/sim-storage-fixture.js";
import { DamagedFileError } from "./damaged-file-error.js";
import type { SimStorage } from "./open-sim-storage.js";
import { BLOCK_BYTES } from "./snapshot-format.js";

const noPause = (): Promise<void> => Promise.resolve();
const membership = createMembership(
  [[1, 2]],
  [
    [1, { addr: "a" }],
    [2, { addr: "b" }],
  ],
  { incarnations: [[2, 7]] },
);

/** What a leader would send: a state of `items` up to an entry. */
async function fromLeader(last: LogId, items: string[]): Promise<Snapshot> {
  const machine = new OpenRaftStateMachine<string, string>(new ListMachine());
  machine.apply([{ logId: { term: 1, index: 1 }, payload: { type: "openSession", expiresAfter: 1000 } }]);
  const session = { sessionId: 1, sequence: 1, answeredBelow: 1 };
  machine.apply([{ logId: { term: 1, index: 2 }, payload: { type: "normal", data: "once", session } }]);
  (machine.inner as ListMachine).items = items;
  const { data } = await machine.snapshotBuilder().buildSnapshot(noPause);
  const lastMembership = { logId: { term: 1, index: 2 }, membership };
  return { meta: { lastLogId: last, lastMembership, snapshotId: "from the leader" }, data };
}

async function bytesOf(data: SnapshotData, offset = 0): Promise<Uint8Array> {
  const bytes: number[] = [];
  for await (const chunk of data.read(offset)) bytes.push(...chunk);
  return Uint8Array.from(bytes);
}

/** Receives a content as it comes from the network, in pieces. */
async function receive({ stateMachine }: SimStorage<Types>, { meta, data }: Snapshot): Promise<Snapshot> {
  const sink = await stateMachine.receiveSnapshot(meta, data.size);
  const bytes = await bytesOf(data);
  for (let at = 0; at < bytes.length; at += 777) await sink.write(bytes.slice(at, at + 777));
  return { meta, data: await sink.finish() };
}

/** What a new life has, once it has started from its snapshot. */
async function restored(
  bench: Bench,
  what: "machine" | "process" = "machine",
): Promise<[string[], SimStorage<Types>]> {
  const store = await bench.reopen(what);
  const snapshot = store.stateMachine.readCurrentSnapshot();
  if (snapshot !== null) await bench.run(store.stateMachine.installSnapshot(snapshot, noPause));
  return [(store.stateMachine.inner as ListMachine).items, store];
}

const filesOf = async (bench: Bench): Promise<readonly string[]> =>
  (await bench.disk.list()).filter((file) => file.startsWith("snapshot"));

describe("a snapshot that was built", () => {
  test("is durable, with what was applied last, the membership and the sessions", async () => {
    const bench = new Bench();
    const { stateMachine } = await bench.open();
    stateMachine.apply([
      { logId: { term: 1, index: 1 }, payload: { type: "membership", membership } },
      { logId: { term: 1, index: 2 }, payload: { type: "openSession", expiresAfter: 50 } },
      entry(1, 3, "a"),
    ]);
    const session = { sessionId: 2, sequence: 1, answeredBelow: 1 };
    const command = { type: "normal", data: "b", session } as const;
    const first = stateMachine.apply([{ logId: { term: 1, index: 4 }, payload: command }]);
    const builder = stateMachine.snapshotBuilder();
    stateMachine.apply([entry(1, 5, "after the capture")]);
    const snapshot = await bench.run(Promise.resolve(builder.buildSnapshot(noPause)));
    expect(stateMachine.readCurrentSnapshot()).toBe(snapshot);
    const [items, store] = await restored(bench);
    expect(items).toStrictEqual(["a", "b"]);
    expect(store.stateMachine.readAppliedState()).toStrictEqual({
      lastAppliedLogId: { term: 1, index: 4 },
      lastMembership: { logId: { term: 1, index: 1 }, membership },
    });
    expect(store.stateMachine.apply([{ logId: { term: 1, index: 5 }, payload: command }])).toStrictEqual(
      first,
    );
    expect(items).toHaveLength(2);
  });

  test("takes the place of the one before, whose content can still be read", async () => {
    const bench = new Bench();
    const { stateMachine } = await bench.open();
    stateMachine.apply([entry(1, 1, "x".repeat(50_000))]);
    const first = await bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
    const before = await bytesOf(first.data);
    expect(before.length).toBeGreaterThan(3 * BLOCK_BYTES);
    stateMachine.apply([entry(1, 2, "y")]);
    await bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
    expect(await filesOf(bench)).toHaveLength(1);
    expect(await bytesOf(first.data)).toStrictEqual(before);
    for (const offset of [
      0,
      1,
      BLOCK_BYTES - 1,
      BLOCK_BYTES,
      2 * BLOCK_BYTES + 5,
      before.length - 1,
      before.length,
    ]) {
      expect(await bytesOf(first.data, offset)).toStrictEqual(before.slice(offset));
    }
    expect(() => first.data.read(before.length + 1)).toThrow(InvalidValueError);
    expect(() => first.data.read(-1)).toThrow(InvalidValueError);
    expect((await restored(bench))[0]).toHaveLength(2);
  });

  test("later than a newer one does not take its place, and can be read", async () => {
    const bench = new Bench();
    const { stateMachine } = await bench.open();
    stateMachine.apply([entry(1, 1, "a")]);
    const old = stateMachine.snapshotBuilder();
    stateMachine.apply([entry(1, 2, "b")]);
    const newer = await bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
    const late = await bench.run(Promise.resolve(old.buildSnapshot(noPause)));
    expect(stateMachine.readCurrentSnapshot()).toBe(newer);
    expect((await bytesOf(late.data)).length).toBe(late.data.size);
    expect(await filesOf(bench)).toHaveLength(1);
  });

  test("beside others leaves the newest, whichever is finished first", async () => {
    const bench = new Bench();
    const { stateMachine } = await bench.open();
    const builders = [1, 2, 3, 4].map((index) => {
      stateMachine.apply([entry(1, index, `${index}`)]);
      return stateMachine.snapshotBuilder();
    });
    await bench.run(Promise.all(builders.map(async (builder) => builder.buildSnapshot(noPause))));
    expect(stateMachine.readCurrentSnapshot()?.meta.lastLogId.index).toBe(4);
    expect(await filesOf(bench)).toHaveLength(1);
    expect((await restored(bench))[0]).toHaveLength(4);
  });

  test("goes to the disk in the order that a crash cannot spoil", async () => {
    const bench = new Bench();
    const { stateMachine } = await bench.open();
    stateMachine.apply([entry(1, 1, "a")]);
    await bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
    const seen: string[] = [];
    bench.disk.onOperation = ({ verb, file }) => {
      if (verb !== "size") seen.push(`${verb} ${file}`.trim());
    };
    await bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
    expect(seen).toStrictEqual([
      "write snapshot-2.tmp",
      "write snapshot-2.tmp",
      "write snapshot-2.tmp",
      "sync snapshot-2.tmp",
      "open snapshot-2.tmp",
      "rename snapshot-2.tmp",
      "sync directory",
      "remove snapshot-000000000001",
    ]);
  });
});

describe("a snapshot that was received", () => {
  test("takes the place of the state once it is installed, and not before", async () => {
    const bench = new Bench();
    const store = await bench.open();
    store.stateMachine.apply([entry(1, 1, "mine")]);
    await bench.run(Promise.resolve(store.stateMachine.snapshotBuilder().buildSnapshot(noPause)));
    const received = await bench.run(receive(store, await fromLeader({ term: 2, index: 9 }, ["theirs"])));
    expect((await restored(bench, "process"))[0]).toStrictEqual(["mine"]);
    const again = await bench.reopen("process");
    const second = await bench.run(receive(again, await fromLeader({ term: 2, index: 9 }, ["theirs"])));
    await bench.run(again.stateMachine.installSnapshot(second, noPause));
    expect((again.stateMachine.inner as ListMachine).items).toStrictEqual(["theirs"]);
    expect(again.stateMachine.readCurrentSnapshot()?.meta).toStrictEqual(received.meta);
    const [items, last] = await restored(bench);
    expect(items).toStrictEqual(["theirs"]);
    expect(last.stateMachine.readAppliedState()).toStrictEqual({
      lastAppliedLogId: { term: 2, index: 9 },
      lastMembership: { logId: { term: 1, index: 2 }, membership },
    });
    const session = { sessionId: 1, sequence: 1, answeredBelow: 1 };
    const repeated = {
      logId: { term: 2, index: 10 },
      payload: { type: "normal", data: "once", session },
    } as const;
    expect(last.stateMachine.apply([repeated])).toStrictEqual(["2:once"]);
    expect(items).toStrictEqual(["theirs"]);
    expect(await filesOf(bench)).toHaveLength(1);
  });

  test("is written to the disk once: installing it renames the file", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const received = await bench.run(receive(store, await fromLeader({ term: 2, index: 9 }, ["theirs"])));
    const seen: string[] = [];
    bench.disk.onOperation = ({ verb }) => {
      seen.push(verb);
    };
    await bench.run(store.stateMachine.installSnapshot(received, noPause));
    expect(seen).not.toContain("write");
    expect(seen.slice(-2)).toStrictEqual(["rename", "sync directory"]);
  });

  test("with another meaning than it was received for is written anew", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const { data } = await bench.run(receive(store, await fromLeader({ term: 2, index: 9 }, ["theirs"])));
    const { meta } = await fromLeader({ term: 2, index: 12 }, []);
    await bench.run(store.stateMachine.installSnapshot({ meta, data }, noPause));
    const [, again] = await restored(bench);
    expect(again.stateMachine.readAppliedState().lastAppliedLogId).toStrictEqual({ term: 2, index: 12 });
  });

  test("by hand is taken from wherever it is", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await bench.run(
      store.stateMachine.installSnapshot(await fromLeader({ term: 2, index: 9 }, ["given"]), noPause),
    );
    expect((await restored(bench))[0]).toStrictEqual(["given"]);
  });

  test("in part, or not wanted any more, leaves nothing behind", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const { meta, data } = await fromLeader({ term: 2, index: 9 }, ["theirs"]);
    const begin = (
      size = data.size,
      what: SnapshotMeta = meta,
    ): ReturnType<typeof store.stateMachine.receiveSnapshot> =>
      bench.run(store.stateMachine.receiveSnapshot(what, size));
    const first = await begin();
    await first.write(new Uint8Array(5));
    expect(await filesOf(bench)).toHaveLength(1);
    await first.discard();
    expect(await filesOf(bench)).toHaveLength(0);
    await (await begin()).write(new Uint8Array(5));
    const second = await begin();
    expect(await filesOf(bench)).toHaveLength(1);
    await first.discard();
    expect(await filesOf(bench)).toHaveLength(1);
    await second.write(new Uint8Array(5));
    await bench.reopen("process");
    expect(await filesOf(bench)).toHaveLength(0);
  });

  test("is as long as was said, or refused", async () => {
    const bench = new Bench();
    const { stateMachine } = await bench.open();
    const { meta } = await fromLeader({ term: 2, index: 9 }, []);
    const sink = await bench.run(stateMachine.receiveSnapshot(meta, 10));
    await sink.write(new Uint8Array(6));
    expect(() => sink.write(new Uint8Array(5))).toThrow("11 bytes came of 10");
    expect(() => sink.finish()).toThrow("only 6 bytes came of 10");
    expect(() => sink.finish()).toThrow(StorageError);
  });

  test("and is damaged in itself leaves the old state and snapshot, and the node goes on", async () => {
    const bench = new Bench();
    const store = await bench.open();
    store.stateMachine.apply([entry(1, 1, "mine")]);
    const mine = await bench.run(
      Promise.resolve(store.stateMachine.snapshotBuilder().buildSnapshot(noPause)),
    );
    const { meta } = await fromLeader({ term: 2, index: 9 }, []);
    const junk: SnapshotData = {
      size: 40,
      async *read() {
        yield new Uint8Array(40).fill(255);
      },
    };
    const received = await bench.run(receive(store, { meta, data: junk }));
    await expect(bench.run(store.stateMachine.installSnapshot(received, noPause))).rejects.toThrow(
      CodecError,
    );
    for (const size of [39, 41]) {
      const data: SnapshotData = { size, read: () => junk.read(0) };
      await expect(bench.run(store.stateMachine.installSnapshot({ meta, data }, noPause))).rejects.toThrow(
        CodecError,
      );
    }
    expect(store.stateMachine.readCurrentSnapshot()).toBe(mine);
    expect((store.stateMachine.inner as ListMachine).items).toStrictEqual(["mine"]);
    expect(await filesOf(bench)).toHaveLength(1);
    store.stateMachine.apply([entry(1, 2, "more")]);
    expect((await restored(bench))[0]).toStrictEqual(["mine"]);
  });

  test("and is older than the state is refused", async () => {
    const bench = new Bench();
    const store = await bench.open();
    store.stateMachine.apply([entry(5, 1, "a"), entry(5, 2, "b"), entry(5, 3, "c")]);
    const snapshot = await fromLeader({ term: 5, index: 2 }, []);
    await expect(bench.run(store.stateMachine.installSnapshot(snapshot, noPause))).rejects.toThrow(
      /5-3 is applied already/,
    );
    expect(await filesOf(bench)).toHaveLength(0);
  });
});

describe("a snapshot on a bad disk", () => {
  test.for(["write", "sync", "rename", "sync directory", "remove"] as const)(
    "ends the store when its %s fails, and the next life has the old one or the new one",
    async (verb) => {
      const bench = new Bench();
      const { stateMachine } = await bench.open();
      stateMachine.apply([entry(1, 1, "a")]);
      await bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
      stateMachine.apply([entry(1, 2, "b")]);
      bench.disk.failNext(verb);
      const built = bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
      await expect(built).rejects.toThrow(StorageError);
      expect(() => stateMachine.apply([entry(1, 3, "c")])).toThrow(/the store failed before/);
      const [items] = await restored(bench);
      expect([["a"], ["a", "b"]]).toContainEqual(items);
      expect(await filesOf(bench)).toHaveLength(1);
    },
  );

  test("is read with a check: damage to its content is an error, and no content", async () => {
    const bench = new Bench();
    const { stateMachine } = await bench.open();
    stateMachine.apply([entry(1, 1, "x".repeat(40_000))]);
    const { data } = await bench.run(Promise.resolve(stateMachine.snapshotBuilder().buildSnapshot(noPause)));
    const [file] = await filesOf(bench);
    bench.disk.corrupt({ file: file as string, offset: 20_000 });
    const error: unknown = await bytesOf(data).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DamagedFileError);
    expect(error).toMatchObject({ file, verb: "read snapshot" });
    bench.disk.failNext("read");
    await expect(bytesOf(data, data.size - 1)).rejects.toThrow(
      /storage failed to read snapshot: the disk failed to read/,
    );
  });
});
