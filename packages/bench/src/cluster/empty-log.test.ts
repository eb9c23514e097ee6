import { describe, expect, test } from "vitest";
import type { EmptyConfig } from "./empty-log.js";
import { EmptyLog } from "./empty-log.js";

function entries(since: number, upto: number): EmptyConfig["Entry"][] {
  return Array.from({ length: upto - since + 1 }, (_, i) => ({
    logId: { term: 1, index: since + i },
    payload: { type: "normal", data: null },
  }));
}

describe("the log of the benchmark", () => {
  test("gives back what was appended, also past the room that it began with", () => {
    const log = new EmptyLog();
    const all = entries(1, 5000);
    for (let at = 0; at < 5000; at += 700) log.append(all.slice(at, at + 700), () => {});
    expect(log.readEntries(1, 5000)).toEqual(all);
    expect(log.readLogState().lastLogId.index).toBe(5000);
  });

  test("makes room for many entries at once", () => {
    const log = new EmptyLog();
    log.append(entries(1, 9000), () => {});
    expect(log.readEntries(1, 9000)).toEqual(entries(1, 9000));
  });

  test("forgets what was purged, keeps the rest, and uses the room again", () => {
    const log = new EmptyLog();
    for (let since = 1; since <= 10_001; since += 500) {
      log.append(entries(since, since + 499), () => {});
      if (since > 500) log.purge({ term: 1, index: since - 1 });
      expect(log.readEntries(since, since + 499)).toEqual(entries(since, since + 499));
    }
    expect(() => log.readEntries(10_000, 10_001)).toThrow("not there");
  });

  test("reports each append as durable at once", () => {
    const outcomes: unknown[] = [];
    new EmptyLog().append(entries(1, 3), (error) => outcomes.push(error));
    expect(outcomes).toEqual([null]);
  });

  test("takes nothing back: without faults nobody asks for that", () => {
    expect(() => new EmptyLog().truncate(3)).toThrow("truncated from entry 3");
  });
});
