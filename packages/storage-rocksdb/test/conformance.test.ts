import type { BytesTypeConfig } from "@seshat/common";
import { KeyValueStateMachine, encodeOperation } from "@seshat/storage";
import type { RaftStateMachine } from "@seshat/storage";
import type { OpenStorage, StorageFactory, UnsyncedFate } from "@seshat/storage/conformance";
import { storageConformance } from "@seshat/storage/conformance";
import { describe, expect, test } from "vitest";
import { requestCodec } from "../src/index.js";
import { openKeyValueStore, openMemoryStore } from "../src/open-storage.js";
import type { RocksdbStorage } from "../src/opening/open-store.js";
import { TestDisk } from "./test-disk.js";

type Types = BytesTypeConfig;
type Store = RocksdbStorage<Types, RaftStateMachine<Types>>;

interface Medium {
  disk: TestDisk;
  store: Store | null;
  get: (key: Uint8Array) => Promise<Uint8Array | null> | Uint8Array | null;
  readonly old: TestDisk[];
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const SMALL = { writeBufferBytes: 65_536 };

function factoryOf(kind: "memory" | "keyValue"): StorageFactory<Types, Medium> {
  let cuts = 0;
  const media = new WeakMap<object, Medium>();
  const crash = (medium: Medium, fate: UnsyncedFate): void => {
    // Anywhere within what is not synced, the same in every run.
    const torn = (length: number): number => 1 + ((cuts++ * 7919) % length);
    medium.old.push(medium.disk);
    medium.disk = medium.disk.crash(fate === "torn" ? torn : undefined);
    medium.store = null;
  };
  return {
    create: () => ({ disk: new TestDisk(), store: null, get: () => null, old: [] }),
    open: async (medium): Promise<OpenStorage<Types>> => {
      const { dir, io } = medium.disk;
      if (kind === "memory") {
        const kv = new KeyValueStateMachine();
        medium.get = (key) => kv.get(key);
        medium.store = await openMemoryStore<Types>(
          dir,
          { ...SMALL, stateMachine: kv, codec: requestCodec },
          io,
        );
      } else {
        const store = await openKeyValueStore(dir, SMALL, io);
        medium.get = (key) => store.stateMachine.get(key);
        medium.store = store;
      }
      media.set(medium.store, medium);
      return medium.store;
    },
    restart: (medium) => medium.store?.close(),
    crash,
    kill: (medium) => {
      medium.old.push(medium.disk);
      medium.disk = medium.disk.kill();
      medium.store = null;
    },
    fates: ["lost", "torn"],
    crashAt: (medium, step) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const { disk } = medium;
      const at = disk.accesses.length + step;
      disk.onAccess = (_, count) => {
        if (count !== at) return;
        disk.onAccess = null;
        crash(medium, "lost");
        resolve();
      };
      return {
        happened: promise,
        disarm: () => {
          disk.onAccess = null;
        },
      };
    },
    dispose: async (medium) => {
      await medium.store?.close();
      for (const disk of [...medium.old, medium.disk]) await disk.dispose();
    },
    command: (n) => ({
      data: encodeOperation({ type: "set", key: utf8(`k${n % 8}`), value: utf8(`${n}`) }),
    }),
    node: (id) => ({ addr: `node-${id}` }),
    readState: async (open) => {
      const medium = media.get(open) as Medium;
      return Promise.all(Array.from({ length: 8 }, async (_, i) => medium.get(utf8(`k${i}`))));
    },
  };
}

describe.each(["memory", "keyValue"] as const)("RocksDB storage, its state machine's data in %s", (kind) => {
  for (const { group, name, run } of storageConformance(factoryOf(kind), { rounds: 3 })) {
    // A case throws when its rule is broken.
    test(`${group}: ${name}`, async () => expect(await run()).toBeUndefined());
  }
});
