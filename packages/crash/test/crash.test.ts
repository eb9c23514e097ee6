import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProgramOutcome } from "@seshat/chaos/testing";
import { inDirectory, runProgram } from "@seshat/chaos/testing";
import { describe, expect, test } from "vitest";

const crash = (...args: readonly string[]): Promise<ProgramOutcome> =>
  runProgram(new URL("../dist/bin/seshat-crash.js", import.meta.url), ...args);

describe("pnpm crash", () => {
  test("kills, starts again, and finds everything that was acknowledged", async () => {
    const { code, out, err } = await crash("--rounds", "3", "--seed", "1", "--json");
    expect(err).toBe("seed 1\n");
    expect(code).toBe(0);
    const outcome = JSON.parse(out) as Record<string, number>;
    expect(outcome).toMatchObject({ seed: 1, passed: true });
    expect(outcome["kills"]).toBeGreaterThanOrEqual(3);
    expect(outcome["acknowledged"]).toBeGreaterThanOrEqual(60);
  });

  test("kills seshat itself under Redis clients, and finds everything that they were told", async () => {
    const { code, out, err } = await crash("--target", "servers", "--rounds", "2", "--seed", "1", "--json");
    expect(err).toBe("seed 1\n");
    expect(code).toBe(0);
    const outcome = JSON.parse(out) as Record<string, number>;
    expect(outcome).toMatchObject({ target: "servers", seed: 1, passed: true });
    expect(outcome["kills"]).toBeGreaterThanOrEqual(2);
    expect(outcome["acknowledged"]).toBeGreaterThanOrEqual(40);
  });

  test("finds a write that seshat acknowledges too early", async () => {
    const args = ["--target", "servers", "--rounds", "30", "--seed", "2", "--plant", "early-ack"];
    await inDirectory(async (dir) => {
      const { code, err } = await crash(...args, "--dir", dir);
      expect(err).toMatch(/FAILS: linearizable/);
      expect(code).toBe(1);
    });
  });

  test.each([
    ["early-ack", /FAILS: (?:acknowledged|linearizable|order)/],
    ["lost-apply", /FAILS: (?:acknowledged|same on all nodes|linearizable)/],
    ["stale-read", /FAILS: linearizable/],
  ])("finds the planted fault %s, says what is wrong, and keeps the directories", async (plant, message) => {
    await inDirectory(async (dir) => {
      const { code, err } = await crash("--rounds", "30", "--seed", "2", "--plant", plant, "--dir", dir);
      expect(err).toMatch(message);
      expect(err).toContain(`The directories of the nodes: ${dir}\n`);
      expect(code).toBe(1);
    });
  });

  test("takes a directory that is empty, and no other", async () => {
    await inDirectory(async (dir) => {
      await writeFile(join(dir, "letters.txt"), "dear all");
      const { code, err } = await crash("--dir", dir);
      expect([code, err]).toEqual([2, `--dir is ${JSON.stringify(dir)}, but that directory is not empty\n`]);
    });
  });

  test("says what it can do, and what makes no sense", async () => {
    const help = await crash("--help");
    expect([help.code, help.err]).toEqual([0, ""]);
    expect(help.out).toContain("Usage: pnpm crash [options]");
    const { code, err } = await crash("--rounds", "many");
    expect([code, err]).toEqual([
      2,
      '--rounds is "many", but it must be a whole number from 1 on\nTry --help.\n',
    ]);
  });
});
