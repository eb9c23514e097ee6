import { basename, dirname } from "node:path";
import type { SystemCall } from "./system-calls.js";

/** A segment of the journal as the trace shows it. */
interface Segment {
  readonly path: string;
  /** Calls that wrote records, by a descriptor whose writes are durable when they end. */
  readonly writes: readonly SystemCall[];
  /** That gave it its name. */
  readonly named: SystemCall;
}

/** What a trace was held against. */
export interface DurableOrder {
  /** How many acknowledgements of each kind were checked. */
  readonly entries: number;
  readonly others: number;
  readonly segments: number;
  /** What was acknowledged before it was durable, and why it was not. */
  readonly broken: readonly string[];
}

const isSegment = (path: string): boolean => /\/journal\/segment-\d+$/.test(path);
const isSync = ({ name, result }: SystemCall): boolean =>
  (name === "fdatasync" || name === "fsync") && result === 0;
const isWrite = ({ name }: SystemCall): boolean => /^p?writev?(?:64)?$/.test(name);

/**
 * Holds the acknowledgements of `store-process.ts` against the calls to the system that its process made: before an entry is acknowledged, the
 * call has ended that wrote its record into the journal, by a descriptor that was opened so that it ends when the disk has it; and before that the zeros
 * and the name of the segment were synced.
 */
export function checkDurableOrder(calls: readonly SystemCall[]): DurableOrder {
  const segments = findSegments(calls);
  const syncs = calls.filter(isSync);
  const synced = (path: string, after: number, before: number): boolean =>
    syncs.some((sync) => sync.path === path && sync.began > after && sync.ended < before);
  const broken: string[] = [];
  const check = (what: string, { path, named }: Segment, { ended }: SystemCall, before: number): void => {
    const name = basename(path);
    if (ended > before) broken.push(`${what}: the write to ${name} had not ended`);
    if (!synced(dirname(path), named.ended, before))
      broken.push(`${what}: the name of ${name} was not synced`);
    const made = calls.findLast(
      (call) => isWrite(call) && call.path === named.path && call.began < named.began,
    );
    if (made === undefined || !synced(named.path, made.ended, named.began)) {
      broken.push(`${what}: ${name} was given its name before it was synced`);
    }
  };
  let [entries, others] = [0, 0];
  for (const { bytes, began } of calls.filter(
    ({ name, args }) => name === "write" && args.startsWith("1<"),
  )) {
    const [, what] = /^ack (.*)\n$/.exec(bytes.toString()) ?? [];
    if (what === undefined) continue;
    const writes = segments.flatMap((segment) => segment.writes.map((call) => ({ segment, call })));
    if (what.startsWith("entry-")) {
      entries += 1;
      const found = writes.find(({ call }) => call.bytes.includes(what));
      if (found === undefined) broken.push(`${what}: no durable write holds it`);
      else check(what, found.segment, found.call, began);
    } else if (what.startsWith("quiet ")) {
      others += 1;
      // Nobody else wrote meanwhile: it is in what was written last.
      const last = writes
        .filter(({ call }) => call.began < began)
        .reduce<(typeof writes)[number] | null>(
          (a, b) => (a === null || b.call.began > a.call.began ? b : a),
          null,
        );
      if (last === null) broken.push(`${what}: no durable write holds it`);
      else check(what, last.segment, last.call, began);
    } else if (what === "snapshot") {
      others += 1;
      broken.push(...checkSnapshot(calls, synced, began));
    }
  }
  return { entries, others, segments: segments.length, broken };
}

function findSegments(calls: readonly SystemCall[]): Segment[] {
  return calls
    .filter(({ name, target }) => name === "rename" && isSegment(target))
    .map((named) => {
      const opened = calls.find(
        (call) => call.name === "openat" && call.path === named.target && call.began > named.ended,
      );
      const isDurable = opened?.args.includes("O_DSYNC") === true;
      const writes = calls.filter((call) => isWrite(call) && call.path === named.target);
      return { path: named.target, named, writes: isDurable ? writes : [] };
    });
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
