import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MarkerFile } from "../opening/marker-file.js";
import { DurableMark } from "./durable-mark.js";

let syncs: (() => void)[];
let mark: DurableMark;

beforeEach(() => {
  vi.useFakeTimers();
  syncs = [];
  const marker: Partial<MarkerFile> = {
    write: async () => {},
    sync: () => new Promise((resolve) => void syncs.push(resolve)),
  };
  mark = new DurableMark(marker as MarkerFile, 0, () => {});
});
afterEach(() => void vi.useRealTimers());

test("the marker is synced a second after it was written, by one call at a time, however long that takes", async () => {
  await mark.set(1);
  await vi.advanceTimersByTimeAsync(999);
  expect(syncs).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(syncs).toHaveLength(1);
  await mark.set(2);
  await vi.advanceTimersByTimeAsync(5000);
  expect(syncs).toHaveLength(1);
  syncs[0]?.();
  await vi.advanceTimersByTimeAsync(1000);
  expect(syncs).toHaveLength(2);
  syncs[1]?.();
  await vi.advanceTimersByTimeAsync(5000);
  expect(syncs).toHaveLength(2);
});

test("closed, it has let the last sync end, and begins no more", async () => {
  await mark.set(1);
  await vi.advanceTimersByTimeAsync(1000);
  await mark.set(2);
  let isClosed = false;
  const closed = mark.close(false).then(() => (isClosed = true));
  await vi.advanceTimersByTimeAsync(5000);
  expect(isClosed).toBe(false);
  syncs[0]?.();
  await closed;
  await vi.advanceTimersByTimeAsync(5000);
  expect(syncs).toHaveLength(1);
});
