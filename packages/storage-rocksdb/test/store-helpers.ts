import { closeSync, openSync, readFileSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BytesTypeConfig, LogEntry, Request } from "@seshat/common";
import { KeyValueStateMachine } from "@seshat/storage";
import { requestCodec } from "../src/index.js";
import type { StoreIo } from "../src/io/store-io.js";
import { nodeIo } from "../src/io/store-io.js";
import { openMemoryStore } from "../src/open-storage.js";
import type { RocksdbStorage } from "../src/opening/open-store.js";
import type { StoreOptions } from "../src/opening/options.js";

export type Entry = LogEntry<Request>;
export type Store = RocksdbStorage<BytesTypeConfig>;

export function entry(index: number, bytes = 200): Entry {
  return {
    logId: { term: 1, index },
    payload: { type: "normal", data: { data: new Uint8Array(bytes).fill(1 + (index % 250)) } },
  };
}

/** With small segments and tables. */
export function openStore(dir: string, options: StoreOptions = {}, io: StoreIo = nodeIo): Promise<Store> {
  return openMemoryStore<BytesTypeConfig>(
    dir,
    { writeBufferBytes: 65_536, ...options, stateMachine: new KeyValueStateMachine(), codec: requestCodec },
    io,
  );
}

/** Ends when the entries are durable. */
export function append({ storage }: Store, ...entries: Entry[]): Promise<void> {
  return new Promise((resolve, reject) => {
    void storage.append(entries, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** All entries of a log, from the first that is there. */
export async function readAll({ storage }: Store): Promise<Entry[]> {
  const { lastPurgedLogId, lastLogId } = await storage.readLogState();
  const entries: Entry[] = [];
  for (let next = lastPurgedLogId.index + 1; next <= lastLogId.index; next += 0) {
    const some = await storage.readEntries(next, lastLogId.index);
    entries.push(...some);
    next += some.length;
  }
  return entries;
}

/** The paths of the segments of the journal of a store. */
export function segments(dir: string): string[] {
  return readdirSync(join(dir, "journal"))
    .filter((name) => name.startsWith("segment-"))
    .toSorted()
    .map((name) => join(dir, "journal", name));
}

/** Where the zeros begin at the end of a file. */
export function endOf(path: string): number {
  return readFileSync(path).findLastIndex((byte) => byte !== 0) + 1;
}

/** Changes one bit. */
export function flip(path: string, at: number): void {
  const byte = (readFileSync(path)[at] as number) ^ 0x40;
  const fd = openSync(path, "r+");
  writeSync(fd, Uint8Array.of(byte), 0, 1, at);
  closeSync(fd);
}
