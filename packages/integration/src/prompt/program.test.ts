import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CapturedOutput, TestInput, ioError } from "../../test/support/streams.js";
import { settleTurns } from "../../test/support/turns.js";
import type { KeyValueClusterStatus } from "../cluster/key-value-cluster-status.js";
import { runProgram } from "./program.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "seshat-program-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Buffer.from(content, "latin1"));
  return path;
}

interface Surroundings {
  readonly terminal?: boolean;
  readonly stdout?: CapturedOutput;
  readonly stderr?: CapturedOutput;
}

function start(args: readonly string[], { terminal = false, stdout, stderr }: Surroundings = {}) {
  const stdin = new TestInput(terminal);
  const out = stdout ?? new CapturedOutput({ isTTY: terminal });
  const err = stderr ?? new CapturedOutput({ isTTY: terminal });
  const interrupt = new AbortController();
  const exited = runProgram(args, {
    stdin,
    stdout: out,
    stderr: err,
    env: { NO_COLOR: "1" },
    interrupt: interrupt.signal,
    now: () => performance.now(),
  });
  return { stdin, stdout: out, stderr: err, interrupt, exited };
}

/** Resolves when there is a prompt; a program that ends without one fails the test. */
async function prompted(stdout: CapturedOutput, exited: Promise<number>): Promise<void> {
  let ended = false;
  const note = (): void => {
    ended = true;
  };
  exited.then(note, note);
  while (!stdout.text.includes("seshat> ")) {
    if (ended) throw new Error(`there is no prompt, but: ${stdout.text}`);
    await settleTurns();
  }
}

/** Runs the program to its end over a piped input. */
async function run(args: readonly string[], input: string) {
  const { stdin, stdout, stderr, exited } = start(args);
  stdin.end(Buffer.from(input, "latin1"));
  return { exitCode: await exited, stdout: stdout.text, stderr: stderr.text };
}

describe("a piped input", () => {
  test("is answered line by line, and the summary goes to standard error", async () => {
    const { exitCode, stdout, stderr } = await run([], "SET a 1\nGET a\nGET b\nDEL a b\nEXISTS a\n");
    expect(stdout).toBe('OK\n"1"\n(nil)\n(integer) 1\n(integer) 0\n');
    expect(stderr).toMatch(
      /^commands +5\nerrors +0\nthroughput +[\d,]+ commands\/s over .+\nlatency +p50 .+, p90 .+, p99 .+, max .+\nlast applied +1-\d+ \(0 keys\)\nsnapshots taken +0\n$/,
    );
    expect(exitCode).toBe(0);
  });

  test("with a bad line reports it with its number, goes on, and exits with 1", async () => {
    const { exitCode, stdout, stderr } = await run(["--quiet"], "SET a 1\nSIT a\n\nGET a b\nGET a\n");
    expect(stdout).toBe('OK\n"1"\n');
    expect(stderr).toBe(
      'stdin:2: unknown command "SIT": HELP lists the commands\nstdin:4: GET has 2 arguments, but it is written: GET key\n',
    );
    expect(exitCode).toBe(1);
  });

  test("with oversized keys and values reports those lines", async () => {
    const { exitCode, stdout, stderr } = await run(
      ["-q"],
      `SET ${"k".repeat(256)} ${"v".repeat(65_536)}\nSET ${"k".repeat(257)} v\nSET k ${"v".repeat(65_537)}\nGET ${"k".repeat(257)}\nDEL${" k".repeat(1025)}\n`,
    );
    expect(stdout).toBe("OK\n");
    expect(stderr.split("\n")).toEqual([
      "stdin:2: operation.key has 257 bytes, but the limit is 256",
      "stdin:3: operation.value has 65537 bytes, but the limit is 65536",
      "stdin:4: operation.key has 257 bytes, but the limit is 256",
      "stdin:5: operation.keys has 1025 keys, but the limit is 1024",
      "",
    ]);
    expect(exitCode).toBe(1);
  });

  test("gets each answer without waiting for the end of the input", async () => {
    const { stdin, stdout, exited } = start(["-q"]);
    const answered = new Promise<void>((resolve) => {
      const write = stdout._write.bind(stdout);
      stdout._write = (chunk, encoding, callback) => {
        write(chunk, encoding, callback);
        resolve();
      };
    });
    stdin.write("SET a 1\n");
    await answered;
    expect(stdout.text).toBe("OK\n");
    stdin.end("GET a");
    await exited;
    expect(stdout.text).toBe('OK\n"1"\n');
  });

  test("raw, answers with the bytes themselves", async () => {
    const { stdout } = await run(["--raw", "-q"], 'SET a "\\x00\\xff\\n"\nGET a\nGET b\nDEL a\n');
    expect(stdout).toBe("OK\n\0\xff\n\n\n1\n");
  });

  test("RESTART in the middle keeps the data, and the term rises", async () => {
    const { exitCode, stdout, stderr } = await run(
      [],
      "SET a 1\nRESTART\nGET a\nSET b 2\nRESTART\nGET b\nSTATUS\n",
    );
    const lines = stdout.split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "OK",
      "OK, restarted and leading in term 2",
      '"1"',
      "OK",
      "OK, restarted and leading in term 3",
      '"2"',
    ]);
    expect(JSON.parse(lines[6] ?? "")).toMatchObject({ keys: 2, nodes: [{ state: "leader", term: 3 }] });
    expect(stderr).toContain("last applied     3-");
    expect(exitCode).toBe(0);
  });
});

describe("files", () => {
  test("run one after the other on one node, and a bad line names its file", async () => {
    const one = await file("one.txt", "SET a 1\nBAD\n");
    const two = await file("two.txt", "GET a\r\nGET a b");
    const { exitCode, stdout, stderr } = await run(
      ["-q", "-f", one, "--file", "-", "-f", two],
      "SET a 2\nBAD\n",
    );
    expect(stdout).toBe('OK\nOK\n"2"\n');
    expect(stderr).toBe(
      `${one}:2: unknown command "BAD": HELP lists the commands\nstdin:2: unknown command "BAD": HELP lists the commands\n${two}:2: GET has 2 arguments, but it is written: GET key\n`,
    );
    expect(exitCode).toBe(1);
  });

  test("at least five snapshots and purges in one run, and everything can be read back", async () => {
    const sets = Array.from(
      { length: 5000 },
      (_, i) => `SET key${i} "value \\x00${i}"\n${(i + 1) % 1000 === 0 ? "SNAPSHOT\n" : ""}`,
    );
    const gets = Array.from({ length: 5000 }, (_, i) => `GET key${i}\n`);
    const path = await file("snapshots.txt", [...sets, "RESTART\n", ...gets, "STATUS\n"].join(""));
    const { exitCode, stdout, stderr } = await run(
      ["-f", path, "--snapshot-every", "never", "--keep", "10"],
      "",
    );
    const lines = stdout.split("\n");
    expect(lines[1000]).toMatch(/^OK, snapshot up to 1-100\d$/);
    expect(lines.slice(5006, 10_006)).toEqual(Array.from({ length: 5000 }, (_, i) => `"value \\x00${i}"`));
    const status = JSON.parse(lines[10_006] ?? "") as KeyValueClusterStatus;
    expect(status.snapshotsTaken).toBe(5);
    const [node] = status.nodes;
    expect(node?.purged?.index).toBe((node?.snapshot?.index ?? 0) - 10);
    expect(stderr).toMatch(/snapshots taken +5\n/);
    expect(exitCode).toBe(0);
  });

  test("take snapshots by themselves as the command line says", async () => {
    const sets = Array.from({ length: 1000 }, (_, i) => `SET key${i} v\n`);
    const path = await file("policy.txt", [...sets, "SNAPSHOT\n", "STATUS\n"].join(""));
    const taken = async (every: string): Promise<number> => {
      const { stdout } = await run(["-f", path, "--snapshot-every", every], "");
      const status = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as KeyValueClusterStatus;
      return status.snapshotsTaken;
    };
    // The one asked for comes after the one that the policy has begun.
    expect(await taken("100")).toBeGreaterThanOrEqual(2);
    expect(await taken("never")).toBe(1);
  });

  test("that are not there or cannot be run are wrong usage, before anything runs", async () => {
    const good = await file("good.txt", "SET a 1\n");
    const missing = await run(["-f", good, "-f", join(folder, "missing.txt")], "");
    expect(missing).toMatchObject({ exitCode: 2, stdout: "" });
    expect(missing.stderr).toMatch(
      /^error: --file is ".*missing.txt", but it must be a file that can be read \(there is none/,
    );
    const directory = await run(["-f", folder], "");
    expect(directory).toMatchObject({ exitCode: 2, stdout: "" });
    expect(directory.stderr).toContain("not a directory");
  });

  test("show a progress bar on a terminal, gone at the end, and none when it is quiet", async () => {
    const path = await file("progress.txt", "SET a 1\n");
    for (const quiet of [false, true]) {
      const stderr = new CapturedOutput({ isTTY: true });
      const { exited } = start(["-f", path, ...(quiet ? ["-q"] : [])], { stderr });
      expect(await exited).toBe(0);
      if (quiet) expect(stderr.text).toBe("");
      else expect(stderr.text).toMatch(/^\r\x1b\[K\[#{24}\]100% {2}1 commands[^\r]*\r\x1b\[Kcommands +1\n/);
    }
  });
});

describe("the outputs", () => {
  test("a reader that goes away ends the run quietly", async () => {
    const { stdin, stdout, stderr, exited } = start([]);
    stdin.write("SET a 1\n");
    stdout.destroy(ioError("EPIPE"));
    expect(await exited).toBe(141);
    expect(stderr.text).toBe("");
    expect(stdin.destroyed).toBe(true);
  });

  test("a full disk ends the run and is told", async () => {
    const { stdout, stderr, exited } = start([]);
    stdout.destroy(ioError("ENOSPC"));
    expect(await exited).toBe(70);
    expect(stderr.text).toContain("the results cannot be written: write ENOSPC\n");
  });

  test("a slow reader holds the run up, and loses nothing", async () => {
    const stdout = new CapturedOutput({ highWaterMark: 100 });
    stdout.hold();
    const { stdin, exited } = start(["-q"], { stdout });
    const value = "v".repeat(1000);
    stdin.write(`SET a ${value}\n`);
    const gets = 2000;
    stdin.end("GET a\n".repeat(gets));
    while (stdout.writes === 0) await settleTurns();
    await settleTurns();
    // What nobody takes is read from the cluster later: of the 2 MB that are asked for, little is held here.
    expect(stdout.text.length + stdout.writableLength).toBeLessThan(200_000);
    stdout.release();
    expect(await exited).toBe(0);
    expect(stdout.text === `OK\n${`"${value}"\n`.repeat(gets)}`).toBe(true);
  });
});

describe("an interruption", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("by %s settles what is under way, prints the summary and exits with %i", async (signal, code) => {
    const { stdin, stdout, stderr, interrupt, exited } = start([]);
    stdin.write("SET a 1\nSET b");
    while (stdout.text === "") await settleTurns();
    interrupt.abort(signal);
    expect(await exited).toBe(code);
    expect(stdout.text).toBe("OK\n");
    expect(stderr.text).toMatch(/^commands +1\n/);
  });
});

describe("the command line", () => {
  test("--version prints the version of the package", async () => {
    const { exitCode, stdout, stderr } = await run(["--version"], "");
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  test("wrong usage goes to standard error and exits with 2", async () => {
    const { exitCode, stdout, stderr } = await run(["--nope"], "");
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("unknown option '--nope'");
  });

  test("--log-level shows what the node does", async () => {
    const { stderr } = await run(["-q", "--log-level", "info"], "SET a 1\n");
    expect(stderr).toMatch(/^info +raft\.\S+.* term=1/m);
    expect((await run(["-q"], "SET a 1\n")).stderr).toBe("");
  });
});

describe("a terminal", () => {
  test("gets a greeting, a prompt, answers and a summary", async () => {
    const { stdin, stdout, stderr, exited } = start([], { terminal: true });
    await prompted(stdout, exited);
    expect(stdout.text).toMatch(/^Seshat \d.*: node 1 leads in term 1\. help lists/);
    stdin.write("SET a 1\rSTATUS\rNOPE\rquit\r");
    expect(await exited).toBe(0);
    expect(stdout.text).toContain("OK\n");
    expect(stdout.text).toMatch(/^1 +leader +voter +1 +1-4 /m);
    expect(stderr.text).toContain('(error) unknown command "NOPE": HELP lists the commands\n');
    expect(stderr.text).toMatch(/commands +4\n/);
  });

  test("Ctrl-C on an empty line ends it with 130", async () => {
    const { stdin, stdout, exited } = start(["-q"], { terminal: true });
    await prompted(stdout, exited);
    stdin.write("\x03");
    expect(await exited).toBe(130);
  });
});

describe("several nodes", () => {
  test("lose nothing, repeat nothing and keep the order when their leader is killed in the middle of a file", async () => {
    const sets = (round: number): string =>
      Array.from({ length: 1000 }, (_, i) => `SET key${i % 100} ${round}.${i}\n`).join("");
    const commands = ["KILL 1", "RESTART 1", "KILL 2", "RESTART 2", "KILL 3", "RESTART 3"];
    const input = commands.map((command, round) => `${sets(round)}${command}\n`).join("");
    const gets = Array.from({ length: 100 }, (_, i) => `GET key${i}\n`).join("");
    const path = await file("kills.txt", `${input}${gets}DEL key0 key1\nDEL key0 key1 key2\n`);
    const { exitCode, stdout, stderr } = await run(["--nodes", "3", "-f", path], "");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.startsWith("OK, "))).toEqual(
      [1, 2, 3].flatMap((id) => [`OK, node ${id} is down`, `OK, node ${id} runs`]),
    );
    expect(lines.slice(6006, 6106)).toEqual(Array.from({ length: 100 }, (_, i) => `"5.${900 + i}"`));
    expect(lines.slice(6106)).toEqual(["(integer) 2", "(integer) 1"]);
    expect(stderr).toMatch(/^commands +6,108\nerrors +0\n/);
    expect(stderr).toMatch(/last applied +\d+-\d+ \(97 keys\)\n/);
    expect(exitCode).toBe(0);
  });

  test("are shown by STATUS in one line of JSON: who is down, and which links are cut", async () => {
    const { exitCode, stdout, stderr } = await run(
      ["-q", "-n", "3"],
      "SET a 1\nSTATUS\nPARTITION 1 | 2,3\nKILL 2\nSNAPSHOT\nSTATUS\nRESTART 2\nHEAL\nGET a\nSTATUS\nTRANSFER 3\nSNAPSHOT 3\n",
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    const status = (line: number): KeyValueClusterStatus =>
      JSON.parse(lines[line] ?? "") as KeyValueClusterStatus;
    const states = (line: number): readonly string[] => status(line).nodes.map(({ state }) => state);
    expect(status(1)).toMatchObject({ partition: null, keys: 1, snapshotsTaken: 0 });
    expect(states(1).toSorted()).toEqual(["follower", "follower", "leader"]);
    expect(lines.slice(2, 4)).toEqual(["OK, 1 | 2,3", "OK, node 2 is down"]);
    expect(lines[4]).toMatch(/^OK, snapshot up to \d+-\d+ on node 1, (\d+-\d+|none) on node 3$/);
    expect(status(5)).toMatchObject({ partition: [[1], [2, 3]] });
    expect(states(5)[1]).toBe("down");
    expect(lines.slice(6, 9)).toEqual(["OK, node 2 runs", "OK", '"1"']);
    expect(status(9).partition).toBeNull();
    expect(states(9)).not.toContain("down");
    // Node 3 may have been cut off before it heard of anything: who leads has everything.
    expect(lines[10]).toMatch(/^OK, /);
    expect(lines[11]).toMatch(/^OK, snapshot up to \d+-\d+ on node 3$/);
  });

  test("are named in the error when a command makes no sense for them, and the rest goes on", async () => {
    const { exitCode, stdout, stderr } = await run(
      ["-q", "--nodes", "2"],
      "KILL 3\nKILL 2\nKILL 2\nSNAPSHOT 2\nPARTITION 1,2 | 2\nPARTITION 5\nRESTART 0\nRESTART\nRESTART 2\nSET a 1\n",
    );
    expect(stdout).toBe("OK, node 2 is down\nOK, node 2 runs\nOK\n");
    expect(stderr.trimEnd().split("\n")).toEqual([
      "stdin:1: node is 3, but it must be one of 1, 2",
      "stdin:3: node 2 is down: restart it first",
      "stdin:4: node 2 is down: restart it first",
      "stdin:5: groups is [[1,2],[2]], but it must be groups that have no node in common: node 2 is named twice",
      "stdin:6: groups is [[5]], but it must be groups of the nodes 1, 2: there is no node 5",
      'stdin:7: RESTART is given "0", but a node is a number from 1 on',
      "stdin:8: RESTART needs a node, one of 1, 2: RESTART 1",
    ]);
    expect(exitCode).toBe(1);
  });

  test("without a quorum answer with an error once the time is up, and what needs none goes on", async () => {
    const { exitCode, stdout, stderr } = await run(
      ["-q", "--nodes", "3", "--timeout-ms", "100"],
      "KILL 1\nKILL 2\nSET a 1\nGET a\nHELP HEAL\nSTATUS\n",
    );
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "OK, node 1 is down",
      "OK, node 2 is down",
      "HEAL",
      "  mend every link",
    ]);
    expect(JSON.parse(lines[4] ?? "")).toMatchObject({ nodes: [{ state: "down" }, { state: "down" }, {}] });
    const errors = stderr.trimEnd().split("\n");
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatch(/^stdin:3: (the election of a leader|this node|the outcome)/);
    expect(errors[1]).toMatch(/^stdin:4: (the election of a leader|this node|the read)/);
    expect(exitCode).toBe(1);
  });

  test("on a terminal greet with who leads, and STATUS is a table", async () => {
    const { stdin, stdout, stderr, exited } = start(["-n", "3"], { terminal: true });
    await prompted(stdout, exited);
    expect(stdout.text).toMatch(/^Seshat \d.*: 3 nodes, node \d leads in term \d+\. help lists/);
    stdin.write("KILL 2\rSTATUS\rHELP\rquit\r");
    expect(await exited).toBe(0);
    expect(stdout.text).toMatch(
      /node +role +member +term +last log +committed +applied +snapshot +purged +lag +mode$/m,
    );
    expect(stdout.text).toMatch(/^2 +down +(voter|-)( +-)*$/m);
    expect(stdout.text).toContain("links: whole; 0 keys, 0 snapshots taken\n");
    expect(stdout.text).toContain("PARTITION node[,node ...]");
    expect(stderr.text).toMatch(/commands +4\nerrors +0\n/);
  });
});

describe("the members", () => {
  const OK_STATUS = (line: string | undefined): KeyValueClusterStatus =>
    JSON.parse(line ?? "") as KeyValueClusterStatus;

  test("one node grows to three, the first leaves, and nothing that was written is lost", async () => {
    const { exitCode, stdout, stderr } = await run(
      ["-q"],
      "SET a 1\nADD\nADD 7\nSET b 2\nREMOVE 1\nGET a\nGET b\nTRANSFER 7\nTRANSFER 2\nSTATUS\nADD\nSTATUS\n",
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(0, 9)).toEqual([
      "OK",
      "OK, node 2 votes: the voters are 1, 2",
      "OK, node 7 votes: the voters are 1, 2, 7",
      "OK",
      "OK, node 1 is gone",
      '"1"',
      '"2"',
      "OK, node 7 leads",
      "OK, node 2 leads",
    ]);
    expect(OK_STATUS(lines[9])).toMatchObject({
      leaderId: 2,
      membership: { configs: [[2, 7]], learners: [], joint: false },
      keys: 2,
    });
    // The number of the node that left is free again, for a new one that gets everything.
    expect(lines[10]).toBe("OK, node 1 votes: the voters are 1, 2, 7");
    expect(OK_STATUS(lines[11]).nodes.map(({ nodeId }) => nodeId)).toEqual([1, 2, 7]);
  });

  test("an added node is sent the snapshot when the log does not go back far enough", async () => {
    const sets = Array.from({ length: 300 }, (_, i) => `SET key${i} ${i}\n`).join("");
    const { stdout, stderr } = await run(
      ["-q", "--keep", "0"],
      `${sets}SNAPSHOT 1\nPURGE 1\nADD\nRESTART 2\nKILL 2\nRESTART 2\nTRANSFER 2\nREMOVE 1\nGET key0\nGET key299\nSNAPSHOT\nPURGE\n`,
    );
    expect(stderr).toBe("");
    const lines = stdout.trimEnd().split("\n").slice(300);
    expect(lines[0]).toMatch(/^OK, snapshot up to 1-30\d on node 1$/);
    expect(lines[1]).toBe(lines[0]?.replace("snapshot up to", "log purged up to"));
    expect(lines.slice(2, 10)).toEqual([
      "OK, node 2 votes: the voters are 1, 2",
      "OK, node 2 runs",
      "OK, node 2 is down",
      "OK, node 2 runs",
      "OK, node 2 leads",
      "OK, node 1 is gone",
      '"0"',
      '"299"',
    ]);
    expect(lines[10]).toMatch(/^OK, snapshot up to \d+-\d+$/);
    expect(lines[11]).toMatch(/^OK, log purged up to \d+-\d+ on node 2$/);
  });

  test("that cannot be changed so are told why and what to do, and the rest goes on", async () => {
    const { exitCode, stdout, stderr } = await run(
      ["-q", "-n", "2"],
      "ADD 1\nADD two\nREMOVE 9\nTRANSFER 9\nREMOVE 2\nREMOVE 1\nPURGE 3\nRESTART\nADD 2\nKILL 2\nTRANSFER 2\nPURGE 2\n",
    );
    expect(stderr.trimEnd().split("\n")).toEqual([
      "stdin:1: node 1 is a voter already: choose another number, or remove it first",
      'stdin:2: ADD is given "two", but a node is a number from 1 on',
      "stdin:3: node is 9, but it must be one of 1, 2",
      "stdin:4: node is 9, but it must be one of 1, 2",
      "stdin:6: node 1 is the last voter, and cannot be removed: add another node first",
      "stdin:7: node is 3, but it must be one of 1",
      "stdin:11: node 2 is down: restart it first",
      "stdin:12: node 2 is down: restart it first",
    ]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("OK, node 2 is gone");
    expect(lines[1]).toMatch(/^OK, restarted and leading in term \d+$/);
    expect(lines.slice(2)).toEqual(["OK, node 2 votes: the voters are 1, 2", "OK, node 2 is down"]);
    expect(exitCode).toBe(1);
  });

  test("cannot be changed while nobody leads, and the error says what to do", async () => {
    const { stdout, stderr } = await run(
      ["-q", "-n", "3", "--timeout-ms", "100"],
      "KILL 2\nKILL 3\nKILL 1\nADD\nREMOVE 1\nTRANSFER\nSTATUS\n",
    );
    const errors = stderr.trimEnd().split("\n");
    for (const [i, line] of [4, 5, 6].entries()) {
      expect(errors[i]).toMatch(
        new RegExp(
          `^stdin:${line}: the election of a leader did not happen within \\d+ ms; STATUS shows who is down`,
        ),
      );
    }
    // The node that could not be added is not there.
    expect(OK_STATUS(stdout.trimEnd().split("\n").at(-1)).nodes).toHaveLength(3);
  });
});

describe("STATUS --watch", () => {
  test("in a pipe answers with one line for each change, and says how it ended", async () => {
    const { exitCode, stdout } = await run(["-q", "-n", "3"], "SET a 1\nSTATUS --watch 10\nGET a\n");
    const lines = stdout.trimEnd().split("\n");
    const statuses = lines.slice(1, -2);
    expect(statuses.length).toBeGreaterThanOrEqual(1);
    expect(new Set(statuses).size).toBe(statuses.length);
    for (const status of statuses) expect(JSON.parse(status)).toMatchObject({ keys: 1 });
    expect(lines.slice(-2)).toEqual(["OK, nothing changed for 100 ms", '"1"']);
    expect(exitCode).toBe(0);
  });

  test("in a pipe ends when the program is interrupted", async () => {
    const { stdin, stdout, interrupt, exited } = start(["-q"]);
    stdin.write("STATUS --watch 60000\n");
    while (!stdout.text.includes("\n")) await settleTurns();
    interrupt.abort("SIGINT");
    expect(await exited).toBe(130);
    expect(stdout.text).toMatch(/^\{.*\}\nOK, interrupted\n$/);
  });

  test("on a terminal is drawn in place until a key is pressed, and the session goes on", async () => {
    const { stdin, stdout, exited } = start(["-q"], { terminal: true });
    await prompted(stdout, exited);
    stdin.write("STATUS --watch 10\r");
    while (!stdout.text.includes("any key ends it")) await settleTurns();
    stdin.write("x");
    const shown = stdout.text.length;
    while (!stdout.text.slice(shown).includes("seshat> ")) await settleTurns();
    stdin.write("GET a\rquit\r");
    expect(await exited).toBe(0);
    expect(stdout.text).toContain("every 10 ms; any key ends it\n");
    expect(stdout.text).toContain("(nil)\n");
  });

  test("on a terminal ends when the program is told to end", async () => {
    const { stdin, stdout, interrupt, exited } = start(["-q"], { terminal: true });
    await prompted(stdout, exited);
    stdin.write("STATUS --watch\r");
    while (!stdout.text.includes("any key ends it")) await settleTurns();
    interrupt.abort("SIGTERM");
    expect(await exited).toBe(143);
  });
});
