import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import type { BenchResult } from "../src/bench.js";
import { BENCHES } from "../src/benches/all.js";
import type { CliIo } from "../src/cli/bench-cli.js";
import { benchCli } from "../src/cli/bench-cli.js";
import { parseResults } from "../src/compare/run-child.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const COMPILER = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../dist/bin/seshat-bench.js", import.meta.url));

/** These run in processes of their own, or look behind the doors of a package: they need what was built. */
const BUILT = ["engine", "long-log", "memory", "durable", "restart"];
/** Has a test of its own: with less work there is no snapshot to speak of. */
const APART = "transfer";

/** These compare with Redis, and need it. With etcd one of them compares where it finds it. */
const REDIS = ["redis", "redis-keys", "redis-idle", "cluster"];
const noRedis =
  spawnSync("redis-benchmark", ["--version"]).status !== 0 ||
  spawnSync("redis-server", ["--version"]).status !== 0;

const LEAST = ["--seconds", "0.005", "--rounds", "1", "--scale", "0.002", "--json"];

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [COMPILER, "-b", "tsconfig.build.json"], { cwd: PACKAGE });
}, 60_000);

class Written implements CliIo {
  stdout = "";
  stderr = "";
  readonly isTerminal: boolean;

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal;
  }

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }
}

/** Every result is verified, has the fields that name it and that it is compared by, and no figure that is none. */
function checkResults(name: string, results: readonly BenchResult[]): void {
  const bench = BENCHES.find((each) => each.name === name);
  expect(results.length).toBeGreaterThan(0);
  for (const result of results) {
    expect(result).toMatchObject({ bench: name, verified: true });
    for (const field of bench?.keys ?? []) expect(result[field], field).toBeDefined();
    for (const field of bench?.compared ?? []) expect(Number.isFinite(result[field]), field).toBe(true);
    expect(Object.entries(result).filter(([, value]) => value === null)).toEqual([]);
    for (const { title, cell } of bench?.columns ?? []) expect(cell(result), title).not.toMatch(/^-$|NaN/);
  }
  const names = results.map((result) => JSON.stringify(bench?.keys.map((key) => result[key])));
  expect(new Set(names).size).toBe(names.length);
}

describe("every benchmark runs, and verifies its work", () => {
  test.each(BENCHES.map(({ name }) => name).filter((name) => ![...BUILT, ...REDIS, APART].includes(name)))(
    "%s",
    async (name) => {
      const io = new Written();
      expect(await benchCli([name, "--clients", "3", ...LEAST], io)).toBe(0);
      checkResults(name, parseResults(io.stdout));
      expect(io.stderr).toBe("");
    },
  );

  test.skipIf(noRedis).each(REDIS)(
    `%s, as a program${noRedis ? ": Redis is not installed" : ""}`,
    async (name) => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        PROGRAM,
        name,
        "--clients",
        "5",
        ...LEAST,
      ]);
      checkResults(name, parseResults(stdout));
    },
  );

  test.each(BUILT)("%s, as a program", async (name) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      PROGRAM,
      name,
      "--clients",
      "64",
      ...LEAST,
    ]);
    checkResults(name, parseResults(stdout));
    expect(stderr).toBe("");
  });
});

test("transfer: an empty process gets a snapshot of several parts while clients write, and neither end keeps it in memory", async () => {
  const size = ["--clients", "64", "--seconds", "0.05", "--rounds", "1", "--scale", "0.012", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, APART, ...size]);
  const results = parseResults(stdout);
  checkResults(APART, results);
  expect(results.map(({ kind }) => kind)).toEqual(["keys", "keysOnDisk"]);
  for (const { putsDuring, senderMiB, receiverMiB } of results) {
    expect(putsDuring).toBeGreaterThan(0);
    expect(senderMiB).toBeLessThan(200);
    expect(receiverMiB).toBeLessThan(200);
  }
}, 600_000);

describe("the command line", () => {
  test("prints one line of JSON for each number of clients, as machines read it", async () => {
    const io = new Written();
    await benchCli(["minimal", "--clients", "1,5", ...LEAST], io);
    const number = String.raw`[\d.]+`;
    const line = (clients: number): string =>
      String.raw`\{"bench":"minimal","nodes":3,"clients":${clients},"putsPerSec":\d+,"p50Us":${number},"p99Us":${number},"shareOfLimit":${number},.*\}\n`;
    expect(io.stdout).toMatch(new RegExp(`^${line(1)}${line(5)}$`));
  });

  test("prints a table, and shows progress on a terminal alone", async () => {
    const args = ["minimal", "--clients", "2", ...LEAST.filter((arg) => arg !== "--json")];
    const [piped, terminal] = [new Written(), new Written(true)];
    await benchCli(args, piped);
    await benchCli(args, terminal);
    expect(piped.stdout).toMatch(/^nodes +clients +puts\/s .*\n +3 +2 .*\n$/);
    expect(piped.stderr).toBe("");
    expect(terminal.stderr).toContain("minimal: 3 nodes, 2 clients, round 1 of 1");
    expect(terminal.stderr.endsWith("\r\u001b[K")).toBe(true);
  });

  test("compares two checkouts, here one with itself", async () => {
    const io = new Written();
    const here = fileURLToPath(new URL("../../..", import.meta.url));
    const args = [PROGRAM, "minimal", "--clients", "2", ...LEAST, "--compare", here];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    io.out(stdout);
    const results = parseResults(io.stdout);
    expect(results.map(({ compared }) => compared)).toEqual([
      "putsPerSec",
      "shareOfLimit",
      "cpuShareOfLimit",
      "p99Us",
    ]);
    for (const { ratio } of results) expect(ratio).toBeGreaterThan(0);
  });

  test("explains itself", async () => {
    const io = new Written();
    expect(await benchCli(["--help"], io)).toBe(0);
    for (const { name, about } of BENCHES)
      expect(io.stdout).toMatch(new RegExp(`^  ${name} +${about.slice(0, 20)}`, "m"));
    expect(io.stderr).toBe("");
  });

  test("refuses what makes no sense with 2, and says where help is", async () => {
    const io = new Written();
    expect(await benchCli(["nonsense"], io)).toBe(2);
    expect(io.stderr).toMatch(/^there is no benchmark "nonsense".*\nTry --help\.\n$/);
    expect(io.stdout).toBe("");
  });

  test("ends with 1 when the other checkout is none", async () => {
    const io = new Written();
    expect(await benchCli(["minimal", "--compare", "/nowhere"], io)).toBe(1);
    expect(io.stderr).toContain("/nowhere is no checkout of Seshat");
  });
});
