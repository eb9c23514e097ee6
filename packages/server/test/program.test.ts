import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../src/cli/program.js";
import { startServer } from "../src/index.js";
import { RespClient } from "./resp-client.js";
import { ServerProcess, runSeshat, runSeshatUnread } from "./server-process.js";

let root: string;
let running: ServerProcess[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "seshat-program-"));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((server) => server.kill()));
  await rm(root, { recursive: true, force: true });
});

async function start(name: string, ...args: readonly string[]): Promise<ServerProcess> {
  const server = await ServerProcess.start("--dir", join(root, name), "--port", "0", ...args);
  running.push(server);
  return server;
}

/** Asks until it is not refused: for the time of an election, and no longer than the patience of the test. */
async function call(address: string, ...args: readonly string[]): Promise<unknown> {
  for (;;) {
    using client = await RespClient.connect(address);
    const reply = await client.call(...args);
    if (!(reply instanceof Error) || !/^(?:CLUSTERDOWN|NOQUORUM)/.test(reply.message)) return reply;
  }
}

/** The same as `runSeshat`, in this process: for what starts nothing. */
async function runHere(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const interrupt = new AbortController().signal;
  const code = await runProgram(args, {
    stdin: process.stdin,
    stdout,
    stderr,
    env: {},
    log: stderr,
    interrupt,
  });
  return { code, stderr: String(stderr.read() ?? "") };
}

describe("a cluster of processes", () => {
  it("is founded once, outlives kill -9 of its leader, hands over when it is told to end, and is backed up, restored and recovered", async () => {
    const servers = await Promise.all(["1", "2", "3"].map((id) => start(id, "--id", id, "--wait")));
    const [first, second, third] = servers as [ServerProcess, ServerProcess, ServerProcess];
    const addresses = servers.map(({ address }) => address);
    expect(await runSeshat("bootstrap", addresses.join(","))).toMatchObject({
      code: 0,
      stdout: 'OK, the cluster "seshat" has the nodes 1, 2, 3\n',
    });
    const again = await runSeshat("bootstrap", addresses.join(","));
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("belongs to a cluster already");

    expect(await call(second.address, "SET", "colour", "blue")).toBe("OK");
    expect((await runSeshat("transfer", "--to", "1", "--connect", second.address)).stdout).toBe(
      "OK, node 1 leads\n",
    );
    const status = await runSeshat("status", "--connect", third.address);
    expect(status.stdout.split("\n").map((line) => line.split(/ +/).slice(0, 3))).toEqual([
      ["node", "role", "member"],
      ["1", "leader", "voter"],
      ["2", "follower", "voter"],
      ["3", "follower", "voter"],
      ["cluster", '"seshat"'],
      [""],
    ]);

    await first.kill();
    expect(await call(second.address, "GET", "colour")).toBe("blue");
    expect(await call(third.address, "SET", "size", "XL")).toBe("OK");

    // A new one takes the place of the one that is gone.
    const fresh = await start("4", "--id", "4", "--wait");
    expect((await runSeshat("leave", "--id", "1", "--connect", second.address)).code).toBe(0);
    expect(await runSeshat("join", fresh.address, "--connect", second.address)).toMatchObject({
      code: 0,
      stdout: 'OK, node 4 is a member of "seshat", and votes\n',
    });
    expect((await runSeshat("transfer", "--to", "2", "--connect", second.address)).code).toBe(0);
    expect(await second.stop()).toBe(0);
    expect(await call(fresh.address, "GET", "size")).toBe("XL");

    const file = join(root, "backup");
    expect((await runSeshat("backup", file, "--connect", fresh.address)).code).toBe(0);
    const restored = join(root, "restored");
    expect((await runSeshat("restore", file, "--dir", restored)).code).toBe(0);
    expect((await runSeshat("restore", file, "--dir", restored)).stderr).toContain("is not empty");
    const copy = await start("restored");
    expect(await call(copy.address, "GET", "colour")).toBe("blue");
    expect(await call(copy.address, "SET", "colour", "red")).toBe("OK");
    expect(await call(fresh.address, "GET", "colour")).toBe("blue");

    await fresh.kill();
    await third.kill();
    const lost = ["--dir", join(root, "3"), "--id", "3"];
    expect((await runSeshat("recover", ...lost)).stderr).toContain("--yes");
    expect((await runSeshat("recover", ...lost, "--yes")).code).toBe(0);
    const rest = await start("3", "--id", "3", "--wait");
    expect(await call(rest.address, "GET", "size")).toBe("XL");
  });
});

describe("seshat", () => {
  it("keeps what it has acknowledged through kill -9, in the folder that it was given", async () => {
    const server = await start("data");
    expect(await call(server.address, "SET", "a", "1")).toBe("OK");
    await server.kill();
    const again = await start("data");
    expect(await call(again.address, "GET", "a")).toBe("1");
    await expect(start("data")).rejects.toThrow("has the store open");
    expect(await again.stop()).toBe(0);
  });

  it("names the field of a configuration that is wrong, and ends with 2", async () => {
    const cases: readonly (readonly [string, string])[] = [
      ["[clients]\nport = 70000", "clients.port is 70000, but it must be at most 65535"],
      ['[clients]\nport = "x"', 'clients.port is "x", but it must be a number'],
      ["[clients]\nprot = 1", 'clients.prot is "set", but it must be left out: there is no such field'],
      ['[log]\nlevel = "loud"', 'log.level is "loud", but it must be one of'],
      ["[raft]\nheartbeat-ms = 2.5", "raft.heartbeat-ms is 2.5, but it must be a whole number"],
      ['[peers]\nlisten = "nowhere"', 'peers.listen is "nowhere", but it must be an address'],
      [
        "[clients]\nport = 60000",
        "peers.listen is undefined, but it must be given: 10000 more than the port",
      ],
      [
        '[metrics]\nlisten = "10.0.0.1:65536"',
        'metrics.listen is "10.0.0.1:65536", but it must be an address',
      ],
      [
        '[tls]\nca = "missing.pem"\ncert = "c"\nkey = "k"',
        'tls.ca is "missing.pem", but it must be a file that can be read',
      ],
      ["[clients\n", ":1 is"],
      ["[clients]\npassword = 12345", "clients.password is"],
    ];
    const path = join(root, "seshat.toml");
    for (const [content, message] of cases) {
      await writeFile(path, content);
      const { code, stderr } = await runHere("check-config", "--config", path);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
      expect(stderr).not.toContain("12345");
    }
    await writeFile(path, '[node]\nid = 7\n[clients]\nport = 0\n[log]\nlevel = "warn"\n');
    expect(await runSeshat("check-config", "--config", path)).toMatchObject({ code: 0, stdout: "OK\n" });
    expect((await runHere("check-config", "--config", path, "--port", "x")).code).toBe(2);
    expect((await runHere("begin")).code).toBe(2);
    expect((await runHere("status", "--connect", "127.0.0.1:65536")).code).toBe(2);
    expect((await runHere("join", "127.0.0.1:65536")).code).toBe(2);
    expect((await runHere("status", "--timeout-ms", "2147483648")).code).toBe(2);
    expect((await runHere("status", "--watch", "2147483648")).code).toBe(2);
  });

  it("says why it cannot start", async () => {
    const other = createServer();
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const taken = await runSeshat(
      "start",
      "--dir",
      join(root, "x"),
      "--port",
      String(port),
      "--peers",
      "127.0.0.1:0",
    );
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining("EADDRINUSE")]);
    other.close();
    const nobody = await runSeshat("status", "--connect", `127.0.0.1:${port}`);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("cannot connect")]);
    const nowhere = await runSeshat("start", "--dir", "/proc/nope", "--port", "0");
    expect([nowhere.code, nowhere.stderr]).toEqual([
      1,
      expect.stringContaining("the store cannot be opened: /proc/nope:"),
    ]);
  });

  it("says so when somebody answers who is no server", async () => {
    const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const at = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { code, stderr } = await runHere("status", "--connect", at);
    expect([code, stderr]).toEqual([
      1,
      `error: ${at} does not speak as a server does to its clients: unknown type of reply: "H"\n`,
    ]);
    other.close();
  });

  it("ends when the password is wrong, and says why a measurement failed", async () => {
    const server = await start("guarded", "--password", "right");
    const file = join(root, "password");
    await writeFile(file, "wrong");
    const wrong = await runSeshat("status", "--connect", server.address, "--password-file", file);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("WRONGPASS")]);
    const without = await runSeshat("bench", "--connect", server.address, "--seconds", "1", "--clients", "1");
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining("the first with: NOAUTH")]);
  });

  it("does not start on what is left of a restore, nor recovers what is no node", async () => {
    const dir = join(root, "half");
    await mkdir(dir);
    await writeFile(join(dir, "restore-unfinished"), "");
    const started = await runHere("start", "--dir", dir, "--port", "0");
    expect([started.code, started.stderr]).toEqual([
      1,
      expect.stringContaining("empty it, and restore again"),
    ]);
    const missing = join(root, "missing");
    const recovered = await runHere("recover", "--dir", missing, "--id", "1", "--yes");
    expect([recovered.code, recovered.stderr]).toEqual([1, `error: ${missing} holds no node\n`]);
    await expect(access(missing)).rejects.toThrow("ENOENT");
  });

  it("makes a voter of a node that was joined before and had not caught up in time", async () => {
    const common = { host: "127.0.0.1", port: 0 };
    await using leader = await startServer({ ...common, id: 1, dir: join(root, "leader") });
    await using late = await startServer({ ...common, id: 2, dir: join(root, "late"), whenNew: "wait" });
    await leader.node.raft.addLearner(2, late.context.self, { blocking: true });
    const { code, stderr } = await runHere("join", late.address, "--connect", leader.address);
    expect([code, stderr]).toEqual([0, ""]);
    expect(leader.node.raft.metrics().membership.membership.configs).toEqual([[1, 2]]);
  });

  it("is silent where nobody reads what it says", async () => {
    const { code, stderr } = await runSeshatUnread("--help");
    expect([code, stderr]).toEqual([0, ""]);
    const server = await start("unread");
    const watch = await runSeshatUnread("status", "--watch", "1", "--connect", server.address);
    expect([watch.code, watch.stderr]).toEqual([0, ""]);
  });

  it("never writes a backup over a file", async () => {
    const server = await start("data");
    const file = join(root, "backup");
    await writeFile(file, "precious");
    const { code, stderr } = await runSeshat("backup", file, "--connect", server.address);
    expect([code, stderr]).toEqual([1, expect.stringContaining("is there already")]);
    expect(await readFile(file, "utf8")).toBe("precious");
  });

  it("finds out that a backup is damaged", async () => {
    const server = await start("data");
    await call(server.address, "SET", "a", "1");
    const file = join(root, "backup");
    expect((await runSeshat("backup", file, "--connect", server.address)).code).toBe(0);
    const bytes = await readFile(file);
    for (const change of [
      bytes.subarray(0, -1),
      Buffer.concat([bytes.subarray(0, -40), Buffer.from([1]), bytes.subarray(-39)]),
    ]) {
      await writeFile(file, change);
      const { code, stderr } = await runSeshat("restore", file, "--dir", join(root, "new"));
      expect([code, stderr]).toEqual([1, expect.stringContaining("is damaged")]);
    }
  });
});
