import { describe, expect, test } from "vitest";
import { COMMANDS, usageOf } from "./command.js";
import { completeLine, helpText } from "./help.js";

describe("helpText", () => {
  test("lists every command with how it is written and what it does", () => {
    for (const spec of COMMANDS) {
      expect(helpText(null)).toContain(`  ${usageOf(spec)} `);
      expect(helpText(null)).toContain(spec.summary);
    }
    expect(helpText(null)).not.toMatch(/\n$/);
  });

  test("tells of one command alone", () => {
    const spec = COMMANDS.find(({ name }) => name === "EXISTS");
    expect(helpText(spec ?? null)).toBe(`EXISTS key [key ...]\n  ${spec?.summary}`);
  });
});

describe("completeLine", () => {
  test.each([
    ["S", ["SET ", "STATUS ", "SNAPSHOT "], "S"],
    ["sn", ["snapshot "], "sn"],
    ["  ge", ["get "], "ge"],
    ["GeT", ["GET "], "GeT"],
    ["help re", ["restart "], "re"],
    ["xyz", [], "xyz"],
  ])("%s is completed in its own case", (line, offers, replaced) => {
    expect(completeLine(line)).toEqual([offers, replaced]);
  });

  test("an empty line offers every command", () => {
    expect(completeLine("")[0]).toHaveLength(COMMANDS.length);
  });

  test("keys and values are not completed", () => {
    expect(completeLine("GET s")[0]).toEqual([]);
    expect(completeLine("SET s s")[0]).toEqual([]);
  });
});
