/** A process of its own that opens a store and says on standard output, in one system call each, what was acknowledged. */
import { writeSync } from "node:fs";
import type { BytesTypeConfig } from "@seshat/common";
import { KeyValueStateMachine } from "@seshat/storage";
import type * as Codec from "../src/codec.js";
import type { StoreIo } from "../src/io/store-io.js";
import type * as OpenStorage from "../src/open-storage.js";
import type { Store } from "./store-helpers.js";

/** What the package was built to: a process of its own does not run on the sources. */
async function built<M>(path: string): Promise<M> {
  return (await import(new URL(`../dist/${path}`, import.meta.url).href)) as M;
}

const [, , dir = "", job = "", plant = ""] = process.argv;
const { nodeIo } = await built<{ nodeIo: StoreIo }>("io/store-io.js");
const { openMemoryStore } = await built<typeof OpenStorage>("open-storage.js");
const { requestCodec } = await built<typeof Codec>("codec.js");

let writes = 0;

/** Faults that can be built in. */
const PLANTS: Readonly<Record<string, Partial<StoreIo>>> = {
  "no-sync": { openDurable: (path) => nodeIo.open(path, "r+"), datasync: async () => {} },
  "no-journal-sync": { openDurable: (path) => nodeIo.open(path, "r+") },
  "no-directory-sync": { syncDirectory: async () => {} },
  "no-snapshot-sync": {
    datasync: (fd, path) => (path.includes("snapshots") ? Promise.resolve() : nodeIo.datasync(fd, path)),
  },
  "no-segment-sync": {
    datasync: (fd, path) => (path.endsWith("unfinished") ? Promise.resolve() : nodeIo.datasync(fd, path)),
  },
  // Every other write is not waited for.
  "some-writes": {
    writeDurably: async (fd, pieces, offset, path) => {
      writes += 1;
      const done = nodeIo.writeDurably(fd, pieces, offset, path);
      if (writes % 2 === 1) await done;
    },
  },
};

function acknowledge(what: string): void {
  writeSync(1, `ack ${what}\n`);
}

const store: Store = await openMemoryStore<BytesTypeConfig>(
  dir,
  { writeBufferBytes: 65_536, stateMachine: new KeyValueStateMachine(), codec: requestCodec },
  { ...nodeIo, ...PLANTS[plant] },
);
const { storage, stateMachine } = store;
let last = (await storage.readLogState()).lastLogId.index;

/** Its command names it. */
function append(bytes: number): Promise<void> {
  const index = ++last;
  const name = `entry-${String(index).padStart(6, "0")};`;
  const data = Buffer.alloc(Math.max(bytes, 100), 0x2e);
  data.write(name, 0);
  return new Promise((resolve, reject) => {
    const entry = { logId: { term: 1, index }, payload: { type: "normal" as const, data: { data } } };
    void storage.append([entry], (error) => {
      if (error !== null) return reject(error);
      acknowledge(name);
      resolve();
    });
  });
}

/** Several writers, each waiting for one entry before it appends the next. */
async function load(writers: number, each: number, bytes: number): Promise<void> {
  const write = async (): Promise<void> => {
    for (let count = 0; count < each; count++) await append(bytes);
  };
  await Promise.all(Array.from({ length: writers }, write));
}

switch (job) {
  case "hold":
    acknowledge("open");
    setInterval(() => {}, 1000);
    break;
  case "write":
    await load(8, Infinity, 300);
    break;
  case "all": {
    await storage.saveIdentity({ clusterId: "blue", nodeId: 1, incarnation: 5 });
    acknowledge("quiet identity");
    await storage.saveVote({ term: 1, votedFor: 1, committed: true });
    acknowledge("quiet vote");
    await load(1, 30, 100);
    await load(64, 4, 100);
    // New segments, under load.
    await load(8, 8, 9000);
    await storage.truncate(last - 2);
    last -= 3;
    acknowledge("quiet truncate");
    stateMachine.apply(await storage.readEntries(1, 20));
    const snapshot = await stateMachine.snapshotBuilder().buildSnapshot(async () => {});
    acknowledge("snapshot");
    await storage.purge(snapshot.meta.lastLogId);
    acknowledge("quiet purge");
    await load(4, 4, 500);
    await store.close();
    acknowledge("close");
    break;
  }
  default:
    throw new Error(`there is no job ${JSON.stringify(job)}`);
}
