import { describe, expect, test } from "vitest";
import { COMMANDS, usageOf } from "./command.js";
import { completeLine, helpText } from "./help.js";

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

describe("helpText", () => {
  test("lists every command with how it is written and what it does", () => {
    for (const spec of COMMANDS) {
      expect(helpText(null)).toContain(`  ${usageOf(spec)} `);
      expect(helpText(null)).toContain(spec.summary);
    }
    expect(helpText(null)).not.toMatch(/\n$/);
    expect(helpText(null)).toContain("HELP ADD");
  });

  test("fits a terminal of 150 columns, and of 120 about one command", () => {
    expect(widest(helpText(null))).toBeLessThanOrEqual(150);
    for (const spec of COMMANDS) expect(widest(helpText(spec))).toBeLessThanOrEqual(120);
  });

  test("tells of one command alone", () => {
    const spec = COMMANDS.find(({ name }) => name === "EXISTS");
    expect(helpText(spec ?? null)).toBe(`EXISTS key [key ...]\n  ${spec?.summary}`);
  });

  test.each([
    ["ADD", ["learner", "joint membership", "Example: ADD 4"]],
    ["REMOVE", ["Unlike KILL", "last voter", "hands over"]],
    ["TRANSFER", ["stand for election", "within a second"]],
    ["SNAPSHOT", ["stands for all of the log", "--keep"]],
    ["PURGE", ["--keep", "sent the snapshot"]],
    ["KILL", ["still a member"]],
    ["RESTART", ["may be left out"]],
    ["PARTITION", ["majority", "HEAL"]],
    ["STATUS", ["until a key is pressed", "10 looks", "100 looks", "probe", "lag"]],
  ])("about %s teaches what it does to the cluster", (name, words) => {
    const spec = COMMANDS.find((each) => each.name === name);
    const help = helpText(spec ?? null);
    for (const word of words) expect(help).toContain(word);
    for (const line of help.split("\n").slice(1)) expect(line).toMatch(/^ {2}\S/);
  });
});

describe("completeLine", () => {
  test.each([
    ["S", ["SET ", "STATUS ", "SNAPSHOT "], "S"],
    ["sn", ["snapshot "], "sn"],
    ["  ge", ["get "], "ge"],
    ["GeT", ["GET "], "GeT"],
    ["help re", ["remove ", "restart "], "re"],
    ["xyz", [], "xyz"],
    ["K", ["KILL "], "K"],
    ["a", ["add "], "a"],
    ["tr", ["transfer "], "tr"],
    ["P", ["PURGE ", "PARTITION "], "P"],
    ["HE", ["HEAL ", "HELP "], "HE"],
    ["help par", ["partition "], "par"],
  ])("%s is completed in its own case", (line, offers, replaced) => {
    expect(completeLine(line)).toEqual([offers, replaced]);
  });

  test.each([
    ["STATUS ", ["--watch "], ""],
    ["status --W", ["--watch "], "--W"],
    ["status x", [], "x"],
    ["status --watch 1", [], "status --watch 1"],
  ])("%s is completed to the option", (line, offers, replaced) => {
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
