import type { LogLevel } from "@seshat/common";
import { describe, expect, test } from "vitest";
import type { LogThreshold } from "./text-logger.js";
import { textLogger } from "./text-logger.js";

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

describe("textLogger", () => {
  test("writes a record as one line of level, event and fields", () => {
    const lines: string[] = [];
    const logger = textLogger("trace", (line) => lines.push(line));
    logger.log("warn", "raft.node.stopped", {
      term: 3,
      leader: null,
      ok: false,
      why: 'disk "a"\nfull',
      addr: "a:1",
    });
    expect(lines).toEqual([
      String.raw`warn  raft.node.stopped term=3 leader=null ok=false why="disk \"a\"\nfull" addr=a:1`,
    ]);
  });

  test("an empty text is shown as one", () => {
    const lines: string[] = [];
    textLogger("trace", (line) => lines.push(line)).log("info", "e", { text: "" });
    expect(lines).toEqual(['info  e text=""']);
  });

  test.each<[LogThreshold, number]>([
    ["off", 0],
    ["error", 1],
    ["warn", 2],
    ["info", 3],
    ["debug", 4],
    ["trace", 5],
  ])("at %s, %i of the five levels are written", (threshold, count) => {
    const lines: string[] = [];
    const logger = textLogger(threshold, (line) => lines.push(line));
    for (const level of LEVELS) logger.log(level, "event", {});
    expect(lines).toHaveLength(count);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(count === 0 ? [] : LEVELS.slice(-count));
  });
});
