import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningServer, ServerOptions } from "../src/index.js";
import { startServer } from "../src/index.js";
import { RespClient } from "./resp-client.js";

let root: string;
let server: RunningServer;
/** What the clock of the machine is off by, for the server. */
let skewMs = 0;

function start(name: string, options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return startServer({ dir: join(root, name), port: 0, wallMs: () => Date.now() + skewMs, ...options });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "seshat-server-"));
  server = await start("shared");
});

afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

beforeEach(async () => {
  using client = await RespClient.connect(server.address);
  await client.call("FLUSHALL");
});

describe("commands of a pipeline", () => {
  it("are answered in their order, whatever way they go", async () => {
    using client = await RespClient.connect(server.address);
    const replies = await client.pipeline([
      ["SET", "n", "1"],
      ["PING"],
      ["GET", "n"],
      ["INCR", "n"],
      ["INCR", "n"],
      ["ECHO", "between"],
      ["GET", "n"],
      ["NONSENSE"],
      ["SET", "n"],
      ["DEL", "n"],
      ["GET", "n"],
    ]);
    expect(replies).toEqual([
      "OK",
      "PONG",
      "1",
      2,
      3,
      "between",
      "3",
      new Error("ERR unknown command 'NONSENSE', with args beginning with: "),
      new Error("ERR wrong number of arguments for 'set' command"),
      1,
      null,
    ]);
  });

  it("of which one makes no sense get what Redis says, also inside a transaction", async () => {
    using client = await RespClient.connect(server.address);
    const cases: readonly (readonly [readonly string[], string])[] = [
      [["SELECT", "1"], "ERR DB index is out of range"],
      [["SELECT", "x"], "ERR value is not an integer or out of range"],
      [
        ["SELECT", "9223372036854775807"],
        "ERR value is out of range, value must between -2147483648 and 2147483647",
      ],
      [["CLIENT", "NOPE"], "ERR unknown subcommand 'NOPE'. Try CLIENT HELP."],
      [["CLIENT", "SETNAME"], "ERR wrong number of arguments for 'client|setname' command"],
      [["COMMAND", "GETKEYS", "GET"], "ERR wrong number of arguments for 'command|getkeys' command"],
      [
        ["EXEC", "x"],
        "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
      ],
      [["DISCARD"], "ERR DISCARD without MULTI"],
      [["DEBUG", "SLEEP", "1"], "ERR DEBUG command not allowed. This server has none."],
      [["CONFIG", "SET", "nope", "1"], "ERR Unknown option or number of arguments for CONFIG SET - 'nope'"],
    ];
    for (const [args, message] of cases) expect(await client.call(...args)).toEqual(new Error(message));
    expect(await client.pipeline([["MULTI"], ["CLIENT", "NOPE"], ["SET", "a", "1"], ["EXEC"]])).toEqual([
      "OK",
      new Error("ERR unknown subcommand 'NOPE'. Try CLIENT HELP."),
      "QUEUED",
      new Error("EXECABORT Transaction discarded because of previous errors."),
    ]);
  });

  it("are answered although the client has closed its side before", async () => {
    using client = await RespClient.connect(server.address);
    client.send("SET a 1\r\nGET a\r\nINCR a\r\nGET a\r\n");
    client.end();
    const replies = [await client.next(), await client.next(), await client.next(), await client.next()];
    expect(
      replies.map((reply) => (reply instanceof Uint8Array ? Buffer.from(reply).toString() : reply)),
    ).toEqual([{ type: "simple", text: "OK" }, "1", 2, "2"]);
    await client.closed;

    using hasty = await RespClient.connect(server.address);
    hasty.send("INCR hasty\r\n".repeat(3000));
    hasty.end();
    for (let i = 1; i <= 3000; i++) expect(await hasty.next()).toBe(i);
    await hasty.closed;

    using talkative = await RespClient.connect(server.address);
    talkative.send("INFO\r\n".repeat(2000));
    talkative.end();
    for (let i = 0; i < 2000; i++) expect(await talkative.next()).toBeInstanceOf(Uint8Array);
    await talkative.closed;
  });

  it("may be far more than are under way at once", async () => {
    using client = await RespClient.connect(server.address);
    const count = 6000;
    const commands = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? ["GET", "n"] : ["INCR", "n"]));
    let n = 0;
    const expected = commands.map(([name]) => (name === "INCR" ? ++n : n === 0 ? null : String(n)));
    expect(await client.pipeline(commands)).toEqual(expected);
  });

  it("of many clients see the writes that were answered to others", async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => RespClient.connect(server.address)));
    for (let round = 0; round < 20; round++) {
      const writer = clients[round % clients.length] as RespClient;
      await writer.call("SET", "round", String(round));
      const seen = await Promise.all(clients.map((client) => client.call("GET", "round")));
      expect(seen).toEqual(clients.map(() => String(round)));
    }
    for (const client of clients) client.close();
  });
});

describe("a transaction", () => {
  it("is carried out as one, with commands that are not about data in their places", async () => {
    using client = await RespClient.connect(server.address);
    expect(
      await client.pipeline([
        ["MULTI"],
        ["SET", "a", "1"],
        ["PING"],
        ["INCR", "a"],
        ["GET", "a"],
        ["EXEC"],
        ["GET", "a"],
      ]),
    ).toEqual(["OK", "QUEUED", "QUEUED", "QUEUED", "QUEUED", ["OK", "PONG", 2, "2"], "2"]);
  });

  it("is not carried out when a watched key has changed, also by the same client", async () => {
    using client = await RespClient.connect(server.address);
    using other = await RespClient.connect(server.address);
    await client.call("SET", "a", "1");
    expect(await client.call("WATCH", "a", "b")).toBe("OK");
    await other.call("SET", "b", "new");
    expect(await client.pipeline([["MULTI"], ["SET", "a", "2"], ["EXEC"]])).toEqual(["OK", "QUEUED", null]);
    expect(await client.call("GET", "a")).toBe("1");

    expect(
      await client.pipeline([
        ["WATCH", "a"],
        ["SET", "a", "3"],
        ["MULTI"],
        ["SET", "a", "4"],
        ["EXEC"],
        ["GET", "a"],
      ]),
    ).toEqual(["OK", "OK", "OK", "QUEUED", null, "3"]);
    // Who watches a key again still means the first time.
    await client.call("WATCH", "a");
    await other.call("SET", "a", "3");
    await client.call("WATCH", "a");
    expect(await client.pipeline([["MULTI"], ["SET", "a", "4"], ["EXEC"]])).toEqual(["OK", "QUEUED", null]);
    // Nothing is watched any more.
    expect(await client.pipeline([["MULTI"], ["SET", "a", "5"], ["EXEC"]])).toEqual(["OK", "QUEUED", ["OK"]]);
    expect(
      await client.pipeline([
        ["WATCH", "a"],
        ["UNWATCH"],
        ["SET", "a", "6"],
        ["MULTI"],
        ["GET", "a"],
        ["EXEC"],
      ]),
    ).toEqual(["OK", "OK", "OK", "OK", "QUEUED", ["6"]]);
  });

  it("is given up after a command that makes no sense, and by DISCARD", async () => {
    using client = await RespClient.connect(server.address);
    expect(
      await client.pipeline([["MULTI"], ["SET", "a"], ["SET", "a", "1"], ["EXEC"], ["GET", "a"]]),
    ).toEqual([
      "OK",
      new Error("ERR wrong number of arguments for 'set' command"),
      "QUEUED",
      new Error("EXECABORT Transaction discarded because of previous errors."),
      null,
    ]);
    expect(
      await client.pipeline([
        ["MULTI"],
        ["SET", "a", "1"],
        ["DISCARD"],
        ["EXEC"],
        ["MULTI"],
        ["MULTI"],
        ["WATCH", "a"],
        ["DISCARD"],
      ]),
    ).toEqual([
      "OK",
      "QUEUED",
      "OK",
      new Error("ERR EXEC without MULTI"),
      "OK",
      new Error("ERR MULTI calls can not be nested"),
      new Error("ERR WATCH inside MULTI is not allowed"),
      "OK",
    ]);
  });
});

describe("a connection", () => {
  it("speaks RESP2 until it asks for RESP3", async () => {
    using client = await RespClient.connect(server.address);
    expect(await client.call("HELLO", "4")).toEqual(new Error("NOPROTO unsupported protocol version"));
    expect(await client.call("HELLO")).toContain("proto");
    expect(await client.call("HELLO", "3", "SETNAME", "me")).toMatchObject({
      server: "redis",
      proto: 3,
      mode: "standalone",
    });
    expect(await client.call("CLIENT", "GETNAME")).toBe("me");
    expect(await client.call("CONFIG", "GET", "save")).toEqual({ save: "" });
  });

  it("has to give the password where there is one", async () => {
    await using closed = await start("password", { limits: { password: "secret" } });
    using client = await RespClient.connect(closed.address);
    expect(await client.call("GET", "a")).toEqual(new Error("NOAUTH Authentication required."));
    const wrong = new Error("WRONGPASS invalid username-password pair or user is disabled.");
    expect(await client.call("AUTH", "guess")).toEqual(wrong);
    expect(await client.call("AUTH", "other", "secret")).toEqual(wrong);
    expect(await client.call("GET", "a")).toEqual(new Error("NOAUTH Authentication required."));
    expect(await client.call("AUTH", "secret")).toBe("OK");
    expect(await client.call("GET", "a")).toBeNull();
    using other = await RespClient.connect(closed.address);
    expect(await other.call("HELLO", "3", "AUTH", "default", "secret")).toMatchObject({ proto: 3 });
  });

  it("is refused when there are as many as may be, and ends after QUIT", async () => {
    await using small = await start("small", { limits: { maxClients: 1 } });
    const first = await RespClient.connect(small.address);
    expect(await first.call("PING")).toBe("PONG");
    using second = await RespClient.connect(small.address);
    expect(await second.next()).toEqual({ type: "error", message: "ERR max number of clients reached" });
    await second.closed;
    expect(await first.pipeline([["SET", "a", "1"], ["QUIT"]])).toEqual(["OK", "OK"]);
    await first.closed;
    while (small.context.clients.size > 0) {
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
    }
    using third = await RespClient.connect(small.address);
    expect(await third.call("GET", "a")).toBe("1");
  });

  it("that breaks the protocol is told so and ended, after what it asked for before", async () => {
    using client = await RespClient.connect(server.address);
    client.send("SET a 1\r\n*1\r\n$-5\r\n");
    expect(await client.next()).toEqual({ type: "simple", text: "OK" });
    expect(await client.next()).toEqual({
      type: "error",
      message: "ERR Protocol error: invalid bulk length",
    });
    await client.closed;
  });

  it("is silent as it was told to be", async () => {
    using client = await RespClient.connect(server.address);
    client.send("CLIENT REPLY OFF\r\nSET a 1\r\nGET a\r\nCLIENT REPLY ON\r\n");
    expect(await client.next()).toEqual({ type: "simple", text: "OK" });
    client.send("CLIENT REPLY SKIP\r\nINCR a\r\n");
    expect(await client.call("GET", "a")).toBe("2");
  });

  it("that does not read costs the others nothing, and little memory", async () => {
    using deaf = await RespClient.connect(server.address);
    using client = await RespClient.connect(server.address);
    await client.call("SET", "large", "x".repeat(60_000));
    deaf.pause();
    // 120 MB of replies, if they were all made.
    const command = Buffer.from("GET large\r\n".repeat(2000));
    deaf.send(command);
    for (let i = 0; i < 50; i++) expect(await client.call("INCR", "n")).toBe(i + 1);
    const outputs = [...server.context.clients].map(({ buffered }) => buffered.output);
    // What was under way when its socket was full: at most 256 values, and what was made before.
    expect(Math.max(...outputs)).toBeLessThan(30_000_000);
    deaf.resume();
    for (let i = 0; i < 2000; i++) expect(await deaf.next()).toHaveLength(60_000);
  });
});

it("clients that do not read, all together, keep no more than they may", async () => {
  await using own = await start("deaf", { limits: { maxTotalOutputBytes: 4_000_000 } });
  using client = await RespClient.connect(own.address);
  await client.call("SET", "large", "x".repeat(60_000));
  // Each keeps about a megabyte at most: all together they are too many.
  const deaf = await Promise.all(Array.from({ length: 8 }, () => RespClient.connect(own.address)));
  for (const each of deaf) {
    each.pause();
    each.send(Buffer.from("GET large\r\n".repeat(2000)));
  }
  while (own.context.clients.size > deaf.length) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  expect(own.context.outbox.unsentBytes).toBeLessThanOrEqual(4_000_000);
  for (const each of deaf) each[Symbol.dispose]();
  while (own.context.clients.size > 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  expect(own.context.outbox.unsentBytes).toBe(0);
  expect(await client.call("STRLEN", "large")).toBe(60_000);
});

describe("keys that expire", () => {
  it("are gone when the leader's clock says so, and stay gone when it goes back", async () => {
    using client = await RespClient.connect(server.address);
    await client.call("SET", "a", "1", "PX", "60000");
    expect(await client.call("GET", "a")).toBe("1");
    skewMs = 61_000;
    expect(
      await client.pipeline([
        ["GET", "a"],
        ["EXISTS", "a"],
      ]),
    ).toEqual([null, 0]);
    skewMs = 0;
    expect(await client.call("GET", "a")).toBeNull();
    expect(await client.call("SET", "a", "2", "PX", "60000")).toBe("OK");
    // Time has stood still for the state meanwhile, and has not gone back.
    expect(await client.call("PTTL", "a")).toBe(60_000);
  });

  it("are removed although nobody asks for them", async () => {
    await using own = await start("removed");
    using client = await RespClient.connect(own.address);
    await client.pipeline([
      ["SET", "a", "1", "PX", "1"],
      ["SET", "b", "1"],
    ]);
    while (own.machine.size > 1) {
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    expect(await client.call("DBSIZE")).toBe(1);
  });
});

describe("limits", () => {
  it("of keys, values and memory are replicated, and can be changed", async () => {
    await using own = await start("limits");
    using client = await RespClient.connect(own.address);
    const long = "k".repeat(300);
    expect(await client.call("SET", long, "1")).toEqual(new Error("ERR key too large"));
    expect(await client.call("CONFIG", "SET", "max-key-bytes", "1kb")).toBe("OK");
    expect(await client.call("SET", long, "1")).toBe("OK");
    expect(await client.call("CONFIG", "GET", "max-key-bytes")).toEqual(["max-key-bytes", "1024"]);
    expect(await client.call("CONFIG", "SET", "maxmemory", "1")).toBe("OK");
    expect(await client.call("SET", "a", "1")).toEqual(
      new Error("OOM command not allowed when used memory > 'maxmemory'."),
    );
    expect(await client.call("CONFIG", "SET", "maxmemory", "lots")).toEqual(
      new Error(
        "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
      ),
    );
    // All of a change, or nothing.
    expect(await client.call("CONFIG", "SET", "timeout", "77", "maxclients", "many")).toBeInstanceOf(Error);
    expect(await client.call("CONFIG", "GET", "timeout")).toEqual(["timeout", "0"]);
    expect(await client.call("CONFIG", "SET", "timeout", "77", "maxmemory", "0")).toBe("OK");
    expect(await client.call("CONFIG", "GET", "timeout", "maxmemory")).toEqual([
      "maxmemory",
      "0",
      "timeout",
      "77",
    ]);
  });
});

it("what a page in a browser sends is no command", async () => {
  await using own = await start("http");
  using client = await RespClient.connect(own.address);
  const [host = "", port = ""] = own.address.split(":");
  for (const start of ["POST / HTTP/1.1", "GET / HTTP/1.1", "PUT / HTTP/1.1"]) {
    const socket = connect({ host, port: Number(port) });
    socket.on("error", () => {});
    socket.write(`${start}\r\nHost: ${own.address}\r\n\r\nSET evil 1\r\n`);
    socket.resume();
    await once(socket, "close");
  }
  expect(await client.call("GET", "evil")).toBeNull();
});

it("errors are counted by their codes, whoever finds them", async () => {
  await using own = await start("errors");
  using client = await RespClient.connect(own.address);
  await client.pipeline([["SET", "a", "x"], ["INCR", "a"], ["LPUSH", "a", "1"], ["LLEN", "a"], ["NONSENSE"]]);
  const info = String(await client.call("INFO", "errorstats"));
  expect(info.split("\r\n").filter((line) => line.startsWith("errorstat_"))).toEqual([
    "errorstat_ERR:count=2",
    "errorstat_WRONGTYPE:count=2",
  ]);
});

it("a node that nobody else finds takes nobody into its cluster", async () => {
  await using own = await start("lost", { advertise: { peers: "0.0.0.0:7000" } });
  using client = await RespClient.connect(own.address);
  expect(await client.call("SESHAT", "ADD", "2", "10.0.0.2:7000", "10.0.0.2:6379")).toEqual(
    new Error(
      "ERR nobody else finds this node, which is known at 0.0.0.0:7000: start it with peers.advertise and clients.advertise, and tell the cluster by joining it once more",
    ),
  );
});

it("a node that does not answer is waited for no longer than for a command, by a client that is not idle", async () => {
  const nobody = createServer();
  nobody.listen(0, "127.0.0.1");
  await once(nobody, "listening");
  const at = `127.0.0.1:${(nobody.address() as AddressInfo).port}`;
  nobody.close();
  await using own = await start("alone", { commandTimeoutMs: 2500 });
  using client = await RespClient.connect(own.address);
  await client.call("CONFIG", "SET", "timeout", "1");
  expect(await client.call("SESHAT", "ADD", "2", at, at)).toEqual(
    new Error(
      "ERR node 2 does not answer for 2500 ms now: see that it runs and is reached. It has 0 of 3 entries, and is a member that does not vote: ADD it again to go on, or REMOVE it",
    ),
  );
  expect(await client.call("SESHAT", "REMOVE", "2")).toBe("OK");
});

it("a node that is told to end while it starts does not wait until it leads", async () => {
  await using first = await start("early");
  await first.close();
  // With leases a node that starts again elects nobody for so long, itself not either.
  const raft = { leaderLease: true, electionTimeoutMinMs: 300_000, electionTimeoutMaxMs: 300_001 };
  await using again = await start("early", { raft, signal: AbortSignal.abort() });
  expect(again.node.raft.isLeader()).toBe(false);
});

it("what was answered is there after a restart", async () => {
  const first = await start("restart");
  {
    using client = await RespClient.connect(first.address);
    await client.pipeline([
      ["SET", "a", "1"],
      ["SET", "b", "2", "EX", "1000"],
      ["MULTI"],
      ["INCR", "a"],
      ["EXEC"],
    ]);
  }
  await first.close();
  await using again = await start("restart");
  using client = await RespClient.connect(again.address);
  expect(
    await client.pipeline([
      ["GET", "a"],
      ["GET", "b"],
    ]),
  ).toEqual(["2", "2"]);
  expect(await client.call("TTL", "b")).toBeGreaterThan(0);
});
