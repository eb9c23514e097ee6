import { check, checkEqual, checkFails } from "./check.js";
import { checkInstalled, filled, picture } from "./snapshot-checks.js";
import type { StorageRule } from "./storage-bench.js";
import { contentOf, noPause } from "./storage-bench.js";

const MAX_SNAPSHOT_ID_LENGTH = 256;

export const BUILD_RULES: readonly StorageRule[] = [
  {
    name: "a snapshot carries the last applied entry and the membership of its moment",
    run: async (bench) => {
      const store = await filled(bench, 5);
      const { meta } = await store.build();
      checkEqual("the last log id of the snapshot", meta.lastLogId, { term: 1, index: 5 });
      checkEqual("its membership", meta.lastMembership, {
        logId: { term: 0, index: 1 },
        membership: bench.members(1),
      });
      const { length } = meta.snapshotId;
      check(
        length <= MAX_SNAPSHOT_ID_LENGTH,
        `the snapshot id has ${length} characters, which no node accepts`,
      );
    },
  },
  {
    name: "a snapshot that was built is the current one, in place of an older one",
    run: async (bench) => {
      const store = await filled(bench, 5);
      for (const index of [6, 7]) {
        await store.applyAll(bench.normal(1, index));
        const built = await store.build();
        const current = await store.machine.readCurrentSnapshot();
        check(current !== null, "there is no current snapshot");
        checkEqual("the current snapshot", current.meta, built.meta);
        checkEqual("its content", await contentOf(current.data), await contentOf(built.data));
      }
    },
  },
  {
    name: "what is applied while a snapshot is built does not show in it",
    run: async (bench) => {
      const store = await filled(bench, 5);
      const state = await store.state();
      const builder = await store.machine.snapshotBuilder();
      let index = 5;
      const applyMore = async (): Promise<void> => {
        if (index >= 40) return;
        index += 1;
        await store.applyAll(bench.normal(1, index));
      };
      await applyMore();
      const snapshot = await builder.buildSnapshot(applyMore);
      await applyMore();
      checkEqual("the last log id of the snapshot", snapshot.meta.lastLogId, { term: 1, index: 5 });
      const other = await bench.store();
      await other.machine.installSnapshot(snapshot, noPause);
      checkEqual("the state in the snapshot", await other.state(), state);
      const { lastAppliedLogId } = await store.machine.readAppliedState();
      checkEqual("the last applied entry", lastAppliedLogId, { term: 1, index });
    },
  },
  {
    name: "the content is read from any offset, by several readers at once, and has the size that it says",
    run: async (bench) => {
      const store = await filled(bench, 60);
      const { data } = await store.build();
      const whole = await contentOf(data);
      checkEqual("the number of bytes", whole.length, data.size);
      const offsets = [0, 1, 7, Math.floor(data.size / 2), data.size - 1, data.size].filter((at) => at >= 0);
      await Promise.all(
        offsets.map(async (offset) => {
          checkEqual(`the content from ${offset} on`, await contentOf(data, offset), whole.subarray(offset));
        }),
      );
      await checkFails("a read past the end", () => contentOf(data, data.size + 1));
      await checkFails("a read from before the beginning", () => contentOf(data, -1));
    },
  },
  {
    name: "a content can be read for as long as somebody holds it, also when newer ones took its place",
    run: async (bench) => {
      const store = await filled(bench, 10);
      const { data } = await store.build();
      const whole = await contentOf(data);
      for (const index of [11, 12]) {
        await store.applyAll(bench.normal(1, index));
        await store.build();
      }
      const { snapshot } = await bench.snapshotUpto({ term: 2, index: 20 });
      await store.machine.installSnapshot(snapshot, noPause);
      checkEqual("the content of the old snapshot", await contentOf(data), whole);
      checkEqual("its end", await contentOf(data, 5), whole.subarray(5));
    },
  },
  {
    name: "a build that ends late does not take the place of a newer snapshot",
    run: async (bench) => {
      const store = await filled(bench, 5);
      const builder = await store.machine.snapshotBuilder();
      const { snapshot } = await bench.snapshotUpto({ term: 2, index: 20 });
      await store.machine.installSnapshot(snapshot, noPause);
      await builder.buildSnapshot(noPause);
      const current = await store.machine.readCurrentSnapshot();
      checkEqual("the current snapshot", current?.meta.lastLogId, { term: 2, index: 20 });
    },
  },
];

export const RECEIVE_RULES: readonly StorageRule[] = [
  {
    name: "applies go on while a snapshot is received, and the current one stands until the new one is installed",
    run: async (bench) => {
      const { snapshot } = await bench.snapshotUpto({ term: 2, index: 30 });
      const content = await contentOf(snapshot.data);
      const store = await filled(bench, 4);
      const built = await store.build();
      const sink = await store.machine.receiveSnapshot(snapshot.meta, content.length);
      await sink.write(content.subarray(0, 5));
      await store.applyAll(bench.normal(1, 5));
      await sink.write(content.subarray(5));
      const data = await sink.finish();
      await store.applyAll(bench.normal(1, 6));
      checkEqual("the current snapshot", (await store.machine.readCurrentSnapshot())?.meta, built.meta);
      const { lastAppliedLogId } = await store.machine.readAppliedState();
      checkEqual("the last applied entry", lastAppliedLogId, { term: 1, index: 6 });
      checkEqual("what was received", await contentOf(data), content);
    },
  },
  {
    name: "a content of which something is missing is not finished",
    run: async (bench) => {
      const { snapshot } = await bench.snapshotUpto({ term: 2, index: 10 });
      const content = await contentOf(snapshot.data);
      const store = await bench.store();
      const sink = await store.machine.receiveSnapshot(snapshot.meta, content.length);
      await sink.write(content.subarray(0, -1));
      await checkFails("the end of a content without its last byte", () => sink.finish());
      await sink.discard();
    },
  },
  {
    name: "what is discarded, or received and not installed, leaves nothing, and the next is received",
    run: async (bench) => {
      const { donor, snapshot } = await bench.snapshotUpto({ term: 2, index: 30 });
      const content = await contentOf(snapshot.data);
      const store = await filled(bench, 4);
      await store.build();
      const before = await picture(store);
      const given = await store.machine.receiveSnapshot(snapshot.meta, content.length);
      await given.write(content.subarray(0, 9));
      await given.discard();
      checkEqual("what the store shows", await picture(store), before);
      await store.receive(snapshot.meta, content);
      checkEqual("what the store shows", await picture(store), before);
      await store.machine.installSnapshot(await store.receive(snapshot.meta, content), noPause);
      await checkInstalled(store, donor, snapshot.meta, content);
    },
  },
];

export const HALVES_RULES: readonly StorageRule[] = [
  {
    name: "the log is written, truncated and purged while the state machine applies, builds and installs",
    run: async (bench) => {
      const { donor, snapshot } = await bench.snapshotUpto({ term: 2, index: 60 });
      const content = await contentOf(snapshot.data);
      const store = await filled(bench, 10);
      await store.build();
      const writeLog = async (): Promise<void> => {
        await store.append(bench.normals(1, 1, 20));
        await store.log.purge({ term: 1, index: 9 });
        for (let index = 21; index <= 60; index++) {
          const { durable } = await store.begin([bench.normal(1, index)]);
          if (index % 7 === 0) await store.log.saveVote({ term: index, votedFor: 1, committed: false });
          if (index % 11 === 0) {
            await store.log.truncate(index);
            await store.append([bench.normal(1, index)]);
          }
          if (index % 2 === 0) await durable;
        }
      };
      const runMachine = async (): Promise<void> => {
        const receiving = store.receive(snapshot.meta, content, 64);
        for (let index = 11; index <= 40; index++) {
          const building = index % 10 === 0 ? store.build() : null;
          await store.applyAll(bench.normal(1, index));
          await building;
        }
        await store.machine.installSnapshot(await receiving, noPause);
      };
      await Promise.all([writeLog(), runMachine()]);
      checkEqual("the log", await store.entries(), bench.normals(1, 10, 60));
      checkEqual("the vote", await store.log.readVote(), { term: 56, votedFor: 1, committed: false });
      await checkInstalled(store, donor, snapshot.meta, content);
    },
  },
];
