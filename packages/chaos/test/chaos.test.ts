import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProgramOutcome } from "../src/testing/run-program.js";
import { inDirectory, runProgram } from "../src/testing/run-program.js";
import { describe, expect, test } from "vitest";

const chaos = (...args: readonly string[]): Promise<ProgramOutcome> =>
  runProgram(new URL("../dist/bin/seshat-chaos.js", import.meta.url), ...args);

/** Clusters of processes on a machine that has others to run. */
const LONG_MS = 600_000;

describe("pnpm chaos", () => {
  test(
    "a machine without network namespaces has the same scenarios: partitions and latency by proxies, and what was acknowledged is there",
    async () => {
      const scenarios = ["asymmetric-partition", "isolated-leader", "latency-100ms"];
      const args = scenarios.flatMap((name) => ["--scenario", name]);
      const { code, out, err } = await chaos("--network", "proxies", "--seed", "1", "--json", ...args);
      expect(err).toBe("seed 1\n");
      expect(code).toBe(0);
      const outcome = JSON.parse(out) as {
        passed: boolean;
        scenarios: { name: string; acknowledged: number; leaders: number }[];
      };
      expect(outcome.passed).toBe(true);
      expect(outcome.scenarios.map(({ name }) => name)).toEqual(scenarios);
      for (const { acknowledged } of outcome.scenarios) expect(acknowledged).toBeGreaterThanOrEqual(30);
    },
    LONG_MS,
  );

  // With this seed the first asymmetric partition is the one in which a follower does not hear the leader.
  test.each([
    ["follower-reads", "isolated-leader", /FAILS: (?:linearizable|same on all nodes)/],
    ["unconfirmed-reads", "deaf-leader", /FAILS: linearizable/],
    ["early-ack", "leader-killed", /FAILS: linearizable/],
    ["forward-twice", "asymmetric-partition", /FAILS: linearizable/],
    ["local-clock", "clock-30s-off", /FAILS: (?:linearizable|expiry|same on all nodes)/],
  ])(
    "finds the planted fault %s by %s, says what is wrong, and keeps the directories",
    async (plant, scenarios, message) => {
      await inDirectory(async (dir) => {
        const args = ["--rounds", "40", "--seed", "2", "--plant", plant, "--dir", dir];
        const chosen = scenarios.split(" ").flatMap((name) => ["--scenario", name]);
        const { code, err } = await chaos(...args, ...chosen);
        expect(err).toMatch(message);
        expect(err).toContain(`The directories of the nodes: ${dir}\n`);
        expect(code).toBe(1);
      });
    },
    LONG_MS,
  );

  test("takes a directory that is empty, and no other", async () => {
    await inDirectory(async (dir) => {
      await writeFile(join(dir, "letters.txt"), "dear all");
      const { code, err } = await chaos("--dir", dir);
      expect([code, err]).toEqual([2, `--dir is ${JSON.stringify(dir)}, but that directory is not empty\n`]);
    });
  });

  test("says what it can do, and what makes no sense", async () => {
    const help = await chaos("--help");
    expect([help.code, help.err]).toEqual([0, ""]);
    expect(help.out).toContain("Usage: pnpm chaos [options]");
    const { code, err } = await chaos("--rounds", "many");
    expect([code, err]).toEqual([
      2,
      '--rounds is "many", but it must be a whole number from 1 on\nTry --help.\n',
    ]);
  });
});
