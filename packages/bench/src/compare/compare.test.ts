import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Bench } from "../bench.js";
import { buildCheckout, comparePairs } from "./compare.js";
import { ChildError, parseResults, runChild } from "./run-child.js";

const bench: Bench = {
  name: "made up",
  about: "",
  keys: ["clients"],
  compared: ["putsPerSec", "share"],
  columns: [],
  async *run() {},
};

describe("two checkouts are compared", () => {
  test("by the ratio of neighbours: what slows the machine down for both changes nothing", () => {
    const pair = (there: number, here: number) => ({
      there: [{ clients: 1, putsPerSec: there }],
      here: [{ clients: 1, putsPerSec: here }],
    });
    expect(comparePairs(bench, [pair(100, 150), pair(10, 15), pair(1000, 1200)])).toEqual([
      {
        bench: "made up",
        clients: 1,
        compared: "putsPerSec",
        there: 100,
        here: 150,
        ratio: 1.5,
        ratioMin: 1.2,
        ratioMax: 1.5,
        pairs: 3,
      },
    ]);
  });

  test("for each field and each measurement by its name, whatever their order; what one of them lacks is left out", () => {
    const results = comparePairs(bench, [
      {
        there: [
          { clients: 64, putsPerSec: 2, share: 0.5 },
          { clients: 1, putsPerSec: 4 },
        ],
        here: [
          { clients: 1, putsPerSec: 4, share: 0.1 },
          { clients: 64, putsPerSec: 3, share: 0.25 },
          { clients: 256, putsPerSec: 9 },
        ],
      },
    ]);
    expect(results.map(({ clients, compared, ratio }) => [clients, compared, ratio])).toEqual([
      [1, "putsPerSec", 1],
      [64, "putsPerSec", 1.5],
      [64, "share", 0.5],
    ]);
  });

  test("only when the other one is a checkout", async () => {
    await expect(buildCheckout("/nowhere", "minimal")).rejects.toThrow("/nowhere is no checkout of Seshat");
  });

  test("only as far as the other one has what the benchmark needs, and no further", async () => {
    const old = await mkdtemp(join(tmpdir(), "seshat-old-"));
    const compiler = join(old, "node_modules/.bin/tsc");
    await mkdir(join(old, "packages/raft"), { recursive: true });
    await mkdir(dirname(compiler), { recursive: true });
    await writeFile(join(old, "packages/raft/package.json"), "{}");
    await writeFile(join(old, "packages/raft/tsconfig.build.json"), "{}");
    await writeFile(compiler, '#!/bin/sh\necho "$@" > "$(dirname "$0")/built"\n', { mode: 0o755 });
    try {
      expect(await buildCheckout(old, "minimal")).toBe(old);
      const built = await readFile(join(dirname(compiler), "built"), "utf8");
      expect(built).toBe(`-b ${join(old, "packages/raft/tsconfig.build.json")}\n`);
      await expect(buildCheckout(old, "durable")).rejects.toThrow(
        `cannot be measured by durable: it has no ${join(old, "packages/server")}`,
      );
    } finally {
      await rm(old, { recursive: true });
    }
  });
});

describe("a child process", () => {
  test("is heard to its end, line by line", async () => {
    const script = "console.log(JSON.stringify({a: 1})); console.log(JSON.stringify({a: process.env.WHO}))";
    const output = await runChild(process.execPath, ["-e", script], { WHO: "me" });
    expect(parseResults(output)).toEqual([{ a: 1 }, { a: "me" }]);
  });

  test("that fails says how, with what it wrote about it", async () => {
    const failing = runChild(process.execPath, ["-e", 'console.error("no luck"); process.exitCode = 3']);
    await expect(failing).rejects.toThrow(/exit 3\nno luck/);
    await expect(runChild("/no/such/program", [])).rejects.toBeInstanceOf(ChildError);
  });
});
