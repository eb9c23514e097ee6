import type { SnapshotData } from "@seshat/common";
import { CodecError } from "@seshat/common";
import { check, checkEqual, checkFails } from "./check.js";
import { checkInstalled, filled, picture } from "./snapshot-checks.js";
import type { StorageRule } from "./storage-bench.js";
import { contentOf, foreignContent, noPause } from "./storage-bench.js";

/** Contents that are not what was built: cut short, empty, longer than they say, and with a byte changed at several places. */
function damaged(whole: Uint8Array): [string, SnapshotData][] {
  const half = Math.floor(whole.length / 2);
  const contents: [string, SnapshotData][] = [
    ["half a content", foreignContent(whole.subarray(0, half))],
    ["a content without its last byte", foreignContent(whole.subarray(0, -1))],
    ["a content that ends before its size", foreignContent(whole.subarray(0, half), whole.length)],
    ["no content", foreignContent(new Uint8Array(0))],
  ];
  for (let i = 0; i < 16; i++) {
    const at = Math.floor((whole.length * (i + 0.5)) / 16);
    const changed = whole.slice();
    changed[at] = (changed[at] as number) ^ 0x41;
    contents.push([`a content with byte ${at} changed`, foreignContent(changed)]);
  }
  return contents;
}

export const INSTALL_RULES: readonly StorageRule[] = [
  {
    name: "a snapshot that was received and installed is the state, the applied entry, the membership and the current snapshot",
    run: async (bench) => {
      const { donor, snapshot } = await bench.snapshotUpto({ term: 2, index: 30 });
      const store = await filled(bench, 4);
      const content = await contentOf(snapshot.data);
      await store.machine.installSnapshot(await store.receive(snapshot.meta, content), noPause);
      await checkInstalled(store, donor, snapshot.meta, content);
    },
  },
  {
    name: "both sides of a transfer answer the same from then on",
    run: async (bench) => {
      const { donor, snapshot } = await bench.snapshotUpto({ term: 2, index: 30 });
      const store = await bench.store();
      const content = await contentOf(snapshot.data);
      await store.machine.installSnapshot(await store.receive(snapshot.meta, content, 1), noPause);
      const entries = bench.normals(2, 31, 50);
      checkEqual("the answers", await store.applyAll(...entries), await donor.applyAll(...entries));
      checkEqual("the state", await store.state(), await donor.state());
    },
  },
  {
    name: "a content that another store made, or none, can be installed",
    run: async (bench) => {
      const { donor, snapshot } = await bench.snapshotUpto({ term: 2, index: 30 });
      const store = await bench.store();
      const content = await contentOf(snapshot.data);
      await store.machine.installSnapshot({ meta: snapshot.meta, data: foreignContent(content) }, noPause);
      await checkInstalled(store, donor, snapshot.meta, content);
    },
  },
  {
    name: "the current snapshot can be installed again",
    run: async (bench) => {
      const store = await filled(bench, 5);
      const snapshot = await store.build();
      const before = await picture(store);
      await store.machine.installSnapshot(snapshot, noPause);
      checkEqual("what the store shows", await picture(store), before);
    },
  },
  {
    name: "a snapshot that is older than what is applied is refused, and the state stands",
    run: async (bench) => {
      const store = await filled(bench, 5);
      const snapshot = await store.build();
      await store.applyAll(...bench.normals(1, 6, 9));
      const before = await picture(store);
      await checkFails("an older snapshot", () => store.machine.installSnapshot(snapshot, noPause));
      checkEqual("what the store shows", await picture(store), before);
    },
  },
  {
    name: "damaged content is refused with a CodecError, the old state stands, and the store goes on",
    run: async (bench) => {
      const { snapshot } = await bench.snapshotUpto({ term: 2, index: 30 });
      const store = await filled(bench, 5);
      await store.build();
      const before = await picture(store);
      const whole = await contentOf(snapshot.data);
      for (const [what, data] of damaged(whole)) {
        const install = () => store.machine.installSnapshot({ meta: snapshot.meta, data }, noPause);
        const error = await checkFails(what, install);
        check(
          error instanceof CodecError,
          `${what} was refused with ${String(error)}, which is no CodecError`,
        );
        checkEqual(`what the store shows after ${what}`, await picture(store), before);
      }
      await store.applyAll(bench.normal(1, 6));
      await store.machine.installSnapshot(snapshot, noPause);
      const { lastAppliedLogId } = await store.machine.readAppliedState();
      checkEqual("the last applied entry", lastAppliedLogId, { term: 2, index: 30 });
    },
  },
];
