import { basename, dirname } from "node:path";
import { readBatches } from "../src/wal/wal-records.js";
import type { SystemCall } from "./system-calls.js";

/** A WAL file as the trace shows it. */
interface WalFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly writes: readonly { readonly end: number; readonly call: SystemCall }[];
  readonly made: SystemCall | null;
}

/** What a trace was held against. */
export interface DurableOrder {
  /** How many acknowledgements of each kind were checked. */
  readonly entries: number;
  readonly others: number;
  readonly wals: number;
  /** What was acknowledged before it was durable, and why it was not. */
  readonly broken: readonly string[];
}

const isWal = (path: string): boolean => /\/db\/\d{6,}\.log$/.test(path);
const isSync = ({ name, result }: SystemCall): boolean =>
  (name === "fdatasync" || name === "fsync") && result === 0;

/**
 * Holds the acknowledgements of `store-process.ts` against the calls to the system that its process made: before an entry is acknowledged, the
 * WAL file with its batch was synced, in a sync that began after the batch was written and has ended; and the directory was, after the file
 * was made.
 */
export function checkDurableOrder(calls: readonly SystemCall[]): DurableOrder {
  const wals = walFiles(calls);
  const syncs = calls.filter(isSync);
  const synced = (path: string, after: number, before: number): boolean =>
    syncs.some((sync) => sync.path === path && sync.began > after && sync.ended < before);
  const broken: string[] = [];
  /** All of it that was written by then is durable, name and all. */
  const checkWal = (what: string, { path, made }: WalFile, written: SystemCall, before: number): void => {
    const name = basename(path);
    if (!synced(path, written.ended, before))
      broken.push(`${what}: ${name} was not synced after it was written`);
    if (made !== null && !synced(dirname(path), made.ended, before)) {
      broken.push(`${what}: the directory was not synced after ${name} was made`);
    }
  };
  let [entries, others] = [0, 0];
  for (const { bytes, began } of calls.filter(
    ({ name, args }) => name === "write" && args.startsWith("1<"),
  )) {
    const [, what] = /^ack (.*)\n$/.exec(bytes.toString()) ?? [];
    if (what === undefined) continue;
    if (what.startsWith("entry-")) {
      entries += 1;
      const found = batchWith(wals, what);
      if (found === null) broken.push(`${what}: no batch holds it`);
      else checkWal(what, found.wal, found.call, began);
    } else if (what.startsWith("quiet ")) {
      others += 1;
      // Nobody else wrote meanwhile: it is in what was written last.
      const last = wals
        .flatMap((wal) => wal.writes.map(({ call }) => ({ wal, call })))
        .filter(({ call }) => call.began < began)
        .reduce((a, b) => (b.call.began > a.call.began ? b : a));
      checkWal(what, last.wal, last.call, began);
    } else if (what === "snapshot") {
      others += 1;
      broken.push(...checkSnapshot(calls, synced, began));
    }
  }
  return { entries, others, wals: wals.length, broken };
}

function walFiles(calls: readonly SystemCall[]): WalFile[] {
  const paths = new Set(
    calls.filter(({ name, path }) => name === "write" && isWal(path)).map(({ path }) => path),
  );
  return [...paths].map((path) => {
    let end = 0;
    const writes = calls
      .filter((call) => call.name === "write" && call.path === path)
      .map((call) => ({ end: (end += call.result), call }));
    const bytes = Buffer.concat(writes.map(({ call }) => call.bytes));
    if (bytes.length !== end)
      throw new Error(`the trace shows ${bytes.length} of the ${end} bytes of ${path}`);
    const made = calls.find(
      (call) => call.name === "openat" && call.path.endsWith(path) && call.args.includes("O_CREAT"),
    );
    return { path, bytes, writes, made: made ?? null };
  });
}

/** The call that wrote the end of the first batch that holds `text`. */
function batchWith(
  wals: readonly WalFile[],
  text: string,
): { readonly wal: WalFile; readonly call: SystemCall } | null {
  for (const wal of wals) {
    for (const { start, end } of readBatches(wal.bytes)) {
      if (!wal.bytes.subarray(start, end).includes(text)) continue;
      const call = wal.writes.find((write) => write.end >= end)?.call;
      if (call !== undefined) return { wal, call };
    }
  }
  return null;
}

function checkSnapshot(
  calls: readonly SystemCall[],
  synced: (path: string, after: number, before: number) => boolean,
  before: number,
): string[] {
  const named = calls.findLast(
    ({ name, target, began }) => name === "rename" && target.includes("/snapshots/") && began < before,
  );
  if (named === undefined) return ["snapshot: no file was given its name"];
  const written = calls.findLast(
    ({ path, name, began }) => path === named.path && name === "pwrite64" && began < named.began,
  );
  const broken: string[] = [];
  if (written === undefined || !synced(named.path, written.ended, named.began)) {
    broken.push("snapshot: its file was not synced before it was given its name");
  }
  if (!synced(dirname(named.target), named.ended, before)) broken.push("snapshot: its name was not synced");
  return broken;
}
