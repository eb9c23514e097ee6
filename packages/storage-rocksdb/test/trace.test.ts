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

describe(`every acknowledged write was durable first, by the calls to the system${reason === null ? "" : ` (skipped: ${reason})`}`, () => {
  test.skipIf(reason !== null)(
    "no acknowledgement comes before what holds its bytes is durable",
    async () => {
      const { entries, others, segments, broken } = await traced("");
      expect(broken).toEqual([]);
      expect({ entries, others }).toEqual({ entries: 30 + 256 + 64 + 16, others: 5 });
      expect(segments).toBeGreaterThan(3);
    },
  );

  test.skipIf(reason !== null).each([
    ["no-sync", 366, /no durable write holds it/],
    ["no-journal-sync", 366, /no durable write holds it/],
    ["some-writes", 1, /the write to .* had not ended/],
    ["no-directory-sync", 366, /the name of segment-\d+ was not synced/],
    ["no-segment-sync", 366, /was given its name before it was synced/],
    ["no-snapshot-sync", 1, /snapshot: its file was not synced before it was given its name/],
  ])("a missing sync is found: %s", async (plant, least, what) => {
    const { broken } = await traced(plant);
    expect(broken.length).toBeGreaterThanOrEqual(least);
    expect(broken.join("\n")).toMatch(what);
  });
});
