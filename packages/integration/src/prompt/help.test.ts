import { describe, expect, test } from "vitest";
import { CLUSTER_COMMANDS, SINGLE_NODE_COMMANDS, usageOf } from "./command.js";
import { completeLine, helpText } from "./help.js";

const BOTH = [
  ["one node", SINGLE_NODE_COMMANDS],
  ["several nodes", CLUSTER_COMMANDS],
] as const;

describe("helpText", () => {
  test.each(BOTH)("for %s lists every command with how it is written and what it does", (_, commands) => {
    for (const spec of commands.specs) {
      expect(helpText(null, commands)).toContain(`  ${usageOf(spec)} `);
      expect(helpText(null, commands)).toContain(spec.summary);
    }
    expect(helpText(null, commands)).not.toMatch(/\n$/);
  });

  test("tells of what can be done to single nodes only where there are several", () => {
    for (const name of ["KILL", "PARTITION", "HEAL"]) {
      expect(helpText(null, CLUSTER_COMMANDS)).toContain(name);
      expect(helpText(null, SINGLE_NODE_COMMANDS)).not.toContain(name);
    }
    expect(helpText(null, CLUSTER_COMMANDS)).toContain("RESTART node");
    expect(helpText(null, SINGLE_NODE_COMMANDS)).not.toContain("RESTART node");
  });

  test("fits a terminal of 150 columns", () => {
    const widths = helpText(null, CLUSTER_COMMANDS)
      .split("\n")
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(150);
  });

  test("tells of one command alone", () => {
    const spec = SINGLE_NODE_COMMANDS.specs.find(({ name }) => name === "EXISTS");
    expect(helpText(spec ?? null, SINGLE_NODE_COMMANDS)).toBe(`EXISTS key [key ...]\n  ${spec?.summary}`);
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
    ["K", [], "K"],
  ])("%s is completed in its own case", (line, offers, replaced) => {
    expect(completeLine(line, SINGLE_NODE_COMMANDS)).toEqual([offers, replaced]);
  });

  test.each([
    ["k", ["kill "], "k"],
    ["HE", ["HEAL ", "HELP "], "HE"],
    ["help par", ["partition "], "par"],
  ])(
    "where there are several nodes, %s is completed to what is done to them too",
    (line, offers, replaced) => {
      expect(completeLine(line, CLUSTER_COMMANDS)).toEqual([offers, replaced]);
    },
  );

  test.each(BOTH)("for %s an empty line offers every command", (_, commands) => {
    expect(completeLine("", commands)[0]).toHaveLength(commands.specs.length);
  });

  test("keys and values are not completed", () => {
    expect(completeLine("GET s", SINGLE_NODE_COMMANDS)[0]).toEqual([]);
    expect(completeLine("SET s s", SINGLE_NODE_COMMANDS)[0]).toEqual([]);
  });
});
