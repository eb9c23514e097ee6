import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { encodeCommand } from "@seshat/resp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Connection, latin1 } from "../diff-redis/connection.ts";
import { encoded } from "../diff-redis/encoded.ts";
import { seededRandom } from "../diff-redis/random.ts";
import { SeshatProcess } from "../seshat-process.js";

const MIB = 1024 * 1024;

/** What one test may add to the memory of the server: garbage that is not collected yet. What it forbids would be many times that. */
const MOST_GROWTH = 250 * MIB;

const command = (...args: readonly string[]): Uint8Array => encodeCommand(args.map(latin1));

describe("clients that mean no good", () => {
  let server: SeshatProcess;
  let good: Connection;
  let before: number;
  let sockets: Socket[] = [];

  beforeAll(async () => {
    server = await SeshatProcess.start();
    good = await Connection.open({ port: server.port, host: "127.0.0.1" });
  });

  afterAll(async () => {
    good.close();
    await server[Symbol.asyncDispose]();
  });

  beforeEach(() => {
    before = residentBytes(server.pid);
  });

  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets = [];
  });

  /** Whatever was done to it: it runs, forgets who is gone, and has not grown. */
  async function expectUnharmed(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    expect(server.isRunning).toBe(true);
    while ((await clientsOf(good)) > 1) await turn();
    expect(residentBytes(server.pid) - before).toBeLessThan(MOST_GROWTH);
  }

  async function open(): Promise<Socket> {
    const socket = connect({ port: server.port, host: "127.0.0.1", noDelay: true });
    sockets.push(socket);
    // A connection that the server resets is one of the things that may happen.
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  /** A client that does nothing wrong is served, each time. */
  async function serveGood(times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      const replies = await good.send([
        ["SET", "good", String(n)],
        ["GET", "good"],
      ]);
      expect(replies.map((reply) => encoded(reply))).toEqual(["+OK\r\n", `$${String(n).length}\r\n${n}\r\n`]);
    }
  }

  test("a command that comes byte by byte, from many clients", async () => {
    const bytes = command("SET", "slow", "x".repeat(100));
    const clients = await Promise.all(Array.from({ length: 50 }, () => open()));
    const replies = clients.map((socket) => once(socket, "data"));
    const served = serveGood(50);
    for (const byte of bytes) {
      for (const socket of clients) socket.write(Uint8Array.of(byte));
      await turn();
    }
    await served;
    for (const reply of await Promise.all(replies)) expect(String(reply[0])).toBe("+OK\r\n");
    await expectUnharmed();
  });

  test("bulk strings that are announced and never sent", async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => open()));
    for (const socket of clients) socket.write(`*1048576\r\n$40000000\r\n${"x".repeat(1000)}`);
    await serveGood(50);
    expect(residentBytes(server.pid) - before).toBeLessThan(MOST_GROWTH);
    // They can still send the rest; or anything else, and hear what is wrong.
    const [first] = clients;
    expect(first?.destroyed).toBe(false);
    await expectUnharmed();
  });

  test("commands without end: what one command may have is bounded", async () => {
    const socket = await open();
    const answer = textOf(socket);
    socket.write("*1048576\r\n");
    const part = `$1000000\r\n${"x".repeat(1_000_000)}\r\n`;
    for (let sent = 0; sent < 200 && !socket.destroyed && !socket.closed; sent++) {
      if (!socket.write(part)) await drained(socket);
    }
    await serveGood(10);
    expect(await answer).toBe("-ERR Protocol error: too big request\r\n");
    await expectUnharmed();
  });

  test("clients that ask for much and never read", async () => {
    expect(encoded((await good.send([["SET", "large", "x".repeat(60_000)]]))[0] ?? null)).toBe("+OK\r\n");
    const clients = await Promise.all(Array.from({ length: 20 }, () => open()));
    const asking = Buffer.concat(Array.from({ length: 2000 }, () => command("GET", "large")));
    for (const socket of clients) {
      socket.pause();
      socket.write(asking);
    }
    // 120 MB each, if it were all made ready.
    await serveGood(100);
    expect(residentBytes(server.pid) - before).toBeLessThan(MOST_GROWTH);
    // Nothing was lost: who begins to read gets everything.
    const [first] = clients;
    if (first === undefined) throw new Error("no client");
    let received = 0;
    first.on("data", (chunk) => (received += chunk.length));
    first.resume();
    const whole = 2000 * (60_000 + "$60000\r\n\r\n".length);
    while (received < whole) await once(first, "data");
    expect(received).toBe(whole);
    await expectUnharmed();
  });

  test("a transaction without end", async () => {
    const socket = await open();
    const answer = textOf(socket);
    socket.write("MULTI\r\n");
    const part = command("SET", "k", "x".repeat(1_000_000));
    for (let sent = 0; sent < 60; sent++) if (!socket.write(part)) await drained(socket);
    socket.end("EXEC\r\nPING\r\n");
    await serveGood(10);
    const said = (await answer).split("\r\n");
    expect(said.filter((line) => line === "+QUEUED").length).toBeLessThan(40);
    expect(said.slice(-3)).toEqual([
      "-EXECABORT Transaction discarded because of previous errors.",
      "+PONG",
      "",
    ]);
    await expectUnharmed();
  });

  test("garbage, in pipelines", async () => {
    const random = seededRandom(7);
    const junk = [
      "*3\r\n$3\r\nSET\r\n",
      "*-5\r\n",
      "$9\r\n",
      "*99999999999\r\n",
      "\r\n",
      "PING\r\n",
      '"',
      "GET x\r\n",
      "\0\0",
      "*1\r\n$-5\r\n",
      "*1\r\n*1\r\n",
    ];
    const served = serveGood(100);
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 30 }, () => open()));
      const ends = clients.map((socket) => textOf(socket));
      for (const socket of clients) {
        const pieces = Array.from({ length: 50 }, () =>
          random.chance(0.8) ? random.pick(junk) : String.fromCharCode(random.below(256)),
        );
        socket.end(latin1(pieces.join("")));
      }
      // Each is answered to the end, or told what is wrong.
      for (const text of await Promise.all(ends)) expect(text === "" || text.endsWith("\r\n")).toBe(true);
    }
    await served;
    await expectUnharmed();
  });

  test("a thousand connections, opened and closed, some in the middle of a command", async () => {
    const files = openFiles(server.pid);
    const served = serveGood(100);
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 100 }, () => open()));
      for (const [n, socket] of clients.entries()) {
        if (n % 3 === 1) socket.write(command("SET", `half:${n}`, "value").subarray(0, 20));
        if (n % 3 === 2)
          socket.write(Buffer.concat(Array.from({ length: 20 }, () => command("INCR", "left"))));
        if (n % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }
    }
    await served;
    while ((await clientsOf(good)) > 1) await turn();
    expect(openFiles(server.pid)).toBeLessThanOrEqual(files + 5);
    expect(encoded((await good.send([["EXISTS", "half:1"]]))[0] ?? null)).toBe(":0\r\n");
    await expectUnharmed();
  });
});

describe("a bound for what a client does not take", () => {
  test("past it the client is disconnected, and others are served", async () => {
    const path = join(tmpdir(), `seshat-hostile-${process.pid}.toml`);
    await writeFile(path, "[clients]\nmax-output-bytes = 8000000\n");
    await using server = await SeshatProcess.start(["--config", path]);
    const good = await Connection.open({ port: server.port, host: "127.0.0.1" });
    await good.send([["SET", "large", "x".repeat(60_000)]]);
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    socket.on("error", () => {});
    const closed = once(socket, "close");
    socket.pause();
    // One reply of 60 MB, which cannot be made in parts.
    socket.write(command("MGET", ...Array.from({ length: 1000 }, () => "large")));
    while ((await clientsOf(good)) > 1) await turn();
    socket.resume();
    await closed;
    expect(encoded((await good.send([["STRLEN", "large"]]))[0] ?? null)).toBe(":60000\r\n");
    good.close();
  });
});

/** The socket can take more, or will take nothing any more. */
async function drained(socket: Socket): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  await Promise.race([once(socket, "drain", { signal }), once(socket, "close", { signal })]).catch(() => {});
  ended.abort();
}

/** What a process has in memory. */
function residentBytes(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
}

/** How many files and sockets a process has open. */
function openFiles(pid: number): number {
  return Number(execFileSync("sh", ["-c", `ls /proc/${pid}/fd 2>/dev/null | wc -l`], { encoding: "utf8" }));
}

async function clientsOf(connection: Connection): Promise<number> {
  const [reply] = await connection.send([["INFO", "clients"]]);
  const [, count] = /connected_clients:(\d+)/.exec(encoded(reply ?? null)) ?? [];
  return Number(count);
}

/** Everything that a socket says until it is closed. */
async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  if (!socket.closed) await once(socket, "close").catch(() => {});
  return Buffer.concat(chunks).toString("latin1");
}
