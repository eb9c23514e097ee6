import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisMissing } from "../diff-redis/redis-process.ts";
import { startRedisServer, startSeshatServer } from "./servers.js";
import type { ClientServer } from "./servers.js";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], input = ""): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

async function missing(program: string, args: readonly string[]): Promise<string> {
  const { code } = await run(program, args);
  return code === 0 ? "" : `: ${program} ${args.join(" ")} does not run here`;
}

const SERVERS = [
  { name: "Seshat", start: startSeshatServer },
  ...(redisMissing() === undefined ? [{ name: "Redis", start: startRedisServer }] : []),
];
const noCli = await missing("redis-cli", ["--version"]);
const noBenchmark = await missing("redis-benchmark", ["--version"]);
// Debian's own first: another Python does not know Debian's packages.
const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
const noPython = await missing(python, ["-c", "import redis"]);

describe.each(SERVERS)("the clients that come with Debian, with $name", ({ start }) => {
  let server: ClientServer;
  let port: string;

  beforeAll(async () => {
    server = await start();
    port = String(server.port);
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const cli = (args: readonly string[], input = ""): Promise<Ended> =>
    run("redis-cli", ["-p", port, ...args], input);

  test.skipIf(noCli)(`redis-cli: commands from its arguments and from a pipe${noCli}`, async () => {
    expect(await cli(["flushall"])).toMatchObject({ code: 0, stdout: "OK\n" });
    expect((await cli(["set", "greeting", "hello world"])).stdout).toBe("OK\n");
    expect((await cli(["get", "greeting"])).stdout).toBe("hello world\n");
    const script =
      "set a 1\nincr a\nget nothing\nmulti\nset b 2\nget b\nexec\nkeys nothing*\nnosuch x\nget a\n";
    expect((await cli([], script)).stdout).toBe(
      "OK\n2\n\nOK\nQUEUED\nQUEUED\nOK\n2\n\nERR unknown command 'nosuch', with args beginning with: 'x' \n\n2\n",
    );
    expect((await cli(["--no-raw", "-3", "set", "a", "1"])).stdout).toBe("OK\n");
    expect((await cli(["--no-raw", "get", "nothing"])).stdout).toBe("(nil)\n");
    expect((await cli(["--no-raw", "strlen", "a"])).stdout).toBe("(integer) 1\n");
    expect((await cli(["-3", "hello"])).stdout).toContain("proto");
    expect((await cli(["-r", "5", "incr", "five"])).stdout).toBe("1\n2\n3\n4\n5\n");
    expect((await cli(["-x", "set", "from-input"], "some input")).stdout).toBe("OK\n");
    expect((await cli(["get", "from-input"])).stdout).toBe("some input\n");
  });

  test.skipIf(noCli)(`redis-cli: mass insertion, scan, sizes${noCli}`, async () => {
    await cli(["flushall"]);
    const commands = Array.from({ length: 20_000 }, (_, n) => `SET mass:${n} value:${n}\r\n`).join("");
    const { stdout, code } = await cli(["--pipe"], commands);
    expect(stdout).toContain("errors: 0, replies: 20000");
    expect(code).toBe(0);
    expect((await cli(["dbsize"])).stdout).toBe("20000\n");
    const scanned = (await cli(["--scan", "--pattern", "mass:*9"])).stdout.trimEnd().split("\n");
    expect(new Set(scanned).size).toBe(2000);
    expect((await cli(["get", "mass:19999"])).stdout).toBe("value:19999\n");
  });

  test.skipIf(noBenchmark)(`redis-benchmark: no command of its fails${noBenchmark}`, async () => {
    const tests = "ping_inline,ping_mbulk,set,get,incr,mset";
    for (const shape of [
      ["-c", "1"],
      ["-c", "50"],
      ["-c", "20", "-P", "16"],
    ]) {
      const flags = ["-p", port, "-n", "500", "-r", "1000", "-d", "64", "-t", tests, "--csv", "-e"];
      const { code, stdout, stderr } = await run("redis-benchmark", [...flags, ...shape]);
      expect({ code, stderr: stderr.replaceAll(/WARNING.*\n/g, "") }).toEqual({ code: 0, stderr: "" });
      expect(stdout.trimEnd().split("\n")).toHaveLength(1 + 6);
    }
    expect((await cli(["strlen", "mylist"])).stdout).toBe("0\n");
    expect(Number((await cli(["dbsize"])).stdout)).toBeGreaterThan(100);
  });

  test.skipIf(noPython)(`redis-py: everyday commands, pipelines, transactions${noPython}`, async () => {
    const script = `
import redis, sys
r = redis.Redis(port=int(sys.argv[1]))
r.flushall()
assert r.ping() is True
assert r.set("a", "1") is True and r.get("a") == b"1"
assert r.set("a", "2", nx=True) is None
assert r.set("a", "2", px=100000, get=True) == b"1"
assert 90 < r.ttl("a") <= 100
assert r.incr("n", 5) == 5 and r.decr("n") == 4
assert r.incrbyfloat("f", 1.5) == 1.5
assert r.mset({"x": 1, "y": 2}) is True and r.mget("x", "none", "y") == [b"1", None, b"2"]
assert sorted(r.scan_iter("*")) == [b"a", b"f", b"n", b"x", b"y"]
assert r.getrange("a", 0, 0) == b"2" and r.setrange("a", 1, "!") == 2
assert r.delete("x", "y", "none") == 2 and r.exists("x") == 0
assert r.expire("n", 100) is True and r.persist("n") is True and r.ttl("n") == -1
with r.pipeline(transaction=False) as p:
    assert p.set("p", 1).incr("p").get("p").execute() == [True, 2, b"2"]
with r.pipeline() as p:
    assert p.set("p", 1).incr("p").get("p").execute() == [True, 2, b"2"]
with r.pipeline() as p:
    p.watch("p")
    r.set("p", 7)
    p.multi()
    p.incr("p")
    try:
        p.execute()
        raise SystemExit("the transaction was carried out")
    except redis.WatchError:
        pass
try:
    r.incr("a")
    raise SystemExit("no error")
except redis.ResponseError as e:
    assert str(e) == "value is not an integer or out of range", e
assert r.info()["redis_version"].startswith("7.0")
assert r.client_setname("me") is True and r.client_getname() in ("me", b"me")
assert r.config_get("save") is not None and r.command_count() > 50
r2 = redis.Redis(port=int(sys.argv[1]), decode_responses=True)
assert r2.get("p") == "7" and r2.time()[0] > 0
print("all is well")
`;
    expect(await run(python, ["-c", script, port])).toEqual({ code: 0, stdout: "all is well\n", stderr: "" });
  });
});
