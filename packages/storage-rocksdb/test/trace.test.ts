import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ChildStore } from "./child-store.js";
import type { DurableOrder } from "./durable-order.js";
import { checkDurableOrder } from "./durable-order.js";
import { readTrace, tracer, whyNoTrace } from "./system-calls.js";

const reason = whyNoTrace();

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "seshat-trace-"));
});

afterEach(() => rmSync(root, { recursive: true }));

async function traced(plant: string): Promise<DurableOrder> {
  const path = join(root, "trace");
  const child = new ChildStore(join(root, "store"), "all", { under: tracer(path), plant });
  expect(await child.ended()).toEqual({ code: 0, err: "" });
  return checkDurableOrder(readTrace(path));
}

describe(`every acknowledged write was synced first, by the calls to the system${reason === null ? "" : ` (skipped: ${reason})`}`, () => {
  test.skipIf(reason !== null)(
    "no acknowledgement comes before the sync of what holds its bytes",
    async () => {
      const { entries, others, wals, broken } = await traced("");
      expect(broken).toEqual([]);
      expect({ entries, others }).toEqual({ entries: 30 + 256 + 64 + 16, others: 5 });
      expect(wals).toBeGreaterThan(3);
    },
  );

  test.skipIf(reason !== null).each([
    ["no-sync", 366, /was not synced after it was written/],
    ["no-wal-sync", 366, /was not synced after it was written/],
    ["some-syncs", 1, /was not synced after it was written/],
    // RocksDB syncs the directory of its own accord now and then: which of the two names it is that was not depends on when.
    ["no-directory-sync", 1, /the directory was not synced after|its name was not synced/],
    ["no-snapshot-sync", 1, /snapshot: its file was not synced before it was given its name/],
  ])("a missing sync is found: %s", async (plant, least, what) => {
    const { broken } = await traced(plant);
    expect(broken.length).toBeGreaterThanOrEqual(least);
    expect(broken.join("\n")).toMatch(what);
  });
});
