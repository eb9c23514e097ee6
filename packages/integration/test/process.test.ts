import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { KeyValueClusterStatus } from "../src/index.js";
import { beforeAll, describe, expect, test } from "vitest";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const COMPILER = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../dist/bin/seshat-single.js", import.meta.url));

// The process runs what was built: nothing is done when that is up to date.
beforeAll(async () => {
  await promisify(execFile)(process.execPath, [COMPILER, "-b", "tsconfig.build.json"], { cwd: PACKAGE });
}, 60_000);

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has written so far. */
  readonly written: { stdout: string; stderr: string };
  readonly exited: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: "pipe" });
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (written.stdout += chunk.toString("latin1")));
  child.stderr.on("data", (chunk: Buffer) => (written.stderr += chunk.toString("latin1")));
  // The program may end before it has read all that the test writes.
  child.stdin.on("error", () => undefined);
  const exited = once(child, "close").then(([code]) => ({ code: code as number | null, ...written }));
  return { child, written, exited };
}

describe("the program as a process", () => {
  test("answers a pipe on standard output, says the rest on standard error, and exits with 0", async () => {
    const { child, exited } = start();
    child.stdin.end(Buffer.from('set a "\\x00 b"\nRESTART\nget a\n', "latin1"));
    const { code, stdout, stderr } = await exited;
    expect(stdout).toBe('OK\nOK, restarted and leading in term 2\n"\\x00 b"\n');
    expect(stderr).toMatch(/^commands +3\n/);
    expect(code).toBe(0);
  });

  test("takes and gives bytes that are no text", async () => {
    const { child, exited } = start("--raw", "-q");
    child.stdin.end(Buffer.from("SET \xff\xfe \xc3(\nGET \xff\xfe\n", "latin1"));
    expect(await exited).toEqual({ code: 0, stdout: "OK\n\xc3(\n", stderr: "" });
  });

  test("exits with 1 after a bad line, and with 2 on wrong usage", async () => {
    const bad = start("-q");
    bad.child.stdin.end("BAD\nSET a 1\n");
    expect(await bad.exited).toEqual({
      code: 1,
      stdout: "OK\n",
      stderr: 'stdin:1: unknown command "BAD": HELP lists the commands\n',
    });
    const wrong = start("--file", "no such file");
    expect((await wrong.exited).code).toBe(2);
  });

  test("ends at QUIT though its input is still open", async () => {
    const { child, exited } = start("-q");
    child.stdin.write("SET a 1\nQUIT\n");
    expect(await exited).toEqual({ code: 0, stdout: "OK\nOK\n", stderr: "" });
  });

  test("on SIGINT settles what is under way, prints the summary and exits with 130", async () => {
    const { child, exited } = start();
    child.stdin.write("SET a 1\n");
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const { code, stdout, stderr } = await exited;
    expect(code).toBe(130);
    expect(stdout).toBe("OK\n");
    expect(stderr).toMatch(/^commands +1\n/);
  });

  test("ends quietly when the reader of its results goes away", async () => {
    const { child, exited } = start();
    child.stdin.write(`SET a ${"x".repeat(60_000)}\n`);
    await once(child.stdout, "data");
    child.stdout.destroy();
    child.stdin.end("GET a\n".repeat(1000));
    const { code, stderr } = await exited;
    expect(code).toBe(141);
    expect(stderr).toBe("");
  });

  test("runs several nodes, and lets them be killed, started, cut off and joined from a pipe", async () => {
    const { child, exited } = start("--nodes", "3", "-q");
    const hurt = [
      "KILL 1",
      "RESTART 1",
      "PARTITION 2 | 1,3",
      "PARTITION 1,2",
      "HEAL",
      "KILL 2",
      "KILL 3",
      "RESTART 3",
    ];
    const lines = hurt.flatMap((command, i) => [command, `SET key${i} ${i}`, `GET key${i}`]);
    // Without a quorum nothing can be written.
    lines.splice(lines.indexOf("KILL 3") + 1, 2);
    child.stdin.end(`${lines.join("\n")}\nEXISTS key0 key1 key2 key3 key4 key5 key6 key7\nSTATUS\n`);
    const { code, stdout, stderr } = await exited;
    expect(stderr).toBe("");
    const answers = stdout.trimEnd().split("\n");
    const status = JSON.parse(answers.pop() ?? "") as KeyValueClusterStatus;
    expect(answers).toEqual([
      "OK, node 1 is down",
      "OK",
      '"0"',
      "OK, node 1 runs",
      "OK",
      '"1"',
      "OK, 1,3 | 2",
      "OK",
      '"2"',
      "OK, 1,2 | 3",
      "OK",
      '"3"',
      "OK",
      "OK",
      '"4"',
      "OK, node 2 is down",
      "OK",
      '"5"',
      "OK, node 3 is down",
      "OK, node 3 runs",
      "OK",
      '"7"',
      "(integer) 7",
    ]);
    expect(status.nodes.map(({ state }) => state === "down")).toEqual([false, true, false]);
    expect(code).toBe(0);
  });
});

describe("the members, from a pipe", () => {
  test("one node becomes three others under writes, and the numbers say what happened", async () => {
    const { child, exited } = start("-q");
    const sets = (round: number): string =>
      Array.from({ length: 200 }, (_, i) => `SET key${i} ${round}.${i}\n`).join("");
    const changes = ["ADD", "ADD", "ADD 4", "SNAPSHOT 1", "PURGE 1", "TRANSFER 4", "REMOVE 1", "TRANSFER 2"];
    const lines = changes.map((change, round) => `${sets(round)}${change}\n`).join("");
    child.stdin.end(`${lines}GET key0\nGET key199\nSTATUS --watch 20\n`);
    const { code, stdout, stderr } = await exited;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const answers = stdout.trimEnd().split("\n");
    const said = answers.filter((answer) => answer !== "OK");
    expect(said.slice(0, 3)).toEqual([
      "OK, node 2 votes: the voters are 1, 2",
      "OK, node 3 votes: the voters are 1, 2, 3",
      "OK, node 4 votes: the voters are 1, 2, 3, 4",
    ]);
    expect(said[3]).toMatch(/^OK, snapshot up to \d+-\d+ on node 1$/);
    expect(said[4]).toMatch(/^OK, log purged up to \d+-\d+ on node 1$/);
    expect(said.slice(5, 10)).toEqual([
      "OK, node 4 leads",
      "OK, node 1 is gone",
      "OK, node 2 leads",
      '"7.0"',
      '"7.199"',
    ]);
    expect(said.at(-1)).toBe("OK, nothing changed for 200 ms");
    const status = JSON.parse(said.at(-2) ?? "") as KeyValueClusterStatus;
    expect(status).toMatchObject({
      leaderId: 2,
      keys: 200,
      membership: { configs: [[2, 3, 4]], joint: false },
    });
  });
});

describe("the example", () => {
  test("counts to a hundred through the death of its leader", async () => {
    const example = fileURLToPath(new URL("../examples/replicated-counter.ts", import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [example]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /^add 5: 5\nadd 37: 42\nnode (\d) led and is dead; add 58: 100\nnode \1 is back and reads: 100\n$/,
    );
  });
});
