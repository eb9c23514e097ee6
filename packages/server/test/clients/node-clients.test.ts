import { Redis } from "ioredis";
import { createClient, WatchError } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisMissing } from "../diff-redis/redis-process.ts";
import { startRedisServer, startSeshatServer } from "./servers.js";
import type { ClientServer } from "./servers.js";

const SERVERS = [
  { name: "Seshat", start: startSeshatServer },
  ...(redisMissing() === undefined ? [{ name: "Redis", start: startRedisServer }] : []),
];

describe.each(SERVERS)("ioredis with $name", ({ start }) => {
  let server: ClientServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await start();
    redis = new Redis({ port: server.port });
  });

  afterAll(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
  });

  test("everyday commands", async () => {
    expect(await redis.ping()).toBe("PONG");
    expect(await redis.set("name", "Seshat")).toBe("OK");
    expect(await redis.get("name")).toBe("Seshat");
    expect(await redis.set("name", "other", "NX")).toBeNull();
    expect(await redis.set("name", "new", "EX", 100, "GET")).toBe("Seshat");
    expect(await redis.ttl("name")).toBeGreaterThan(90);
    expect(await redis.incrby("count", 5)).toBe(5);
    expect(await redis.incrbyfloat("float", 0.1)).toBe("0.1");
    expect(await redis.mset({ a: "1", b: "2" })).toBe("OK");
    expect(await redis.mget("a", "none", "b")).toEqual(["1", null, "2"]);
    expect(await redis.exists("a", "a", "none")).toBe(2);
    expect((await redis.keys("?")).sort()).toEqual(["a", "b"]);
    expect(await redis.type("a")).toBe("string");
    expect(await redis.del("a", "b", "none")).toBe(2);
    await expect(redis.incr("name")).rejects.toThrow("ERR value is not an integer or out of range");
    await expect(redis.call("nosuch", "a")).rejects.toThrow(
      "ERR unknown command 'nosuch', with args beginning with: 'a'",
    );
  });

  test("bytes of every value, and large ones", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    await redis.set(bytes, bytes);
    expect(await redis.getBuffer(bytes)).toEqual(bytes);
    const large = "x".repeat(60_000);
    await redis.set("large", large);
    expect(await redis.get("large")).toBe(large);
    expect(await redis.getrange("large", 59_990, -1)).toBe("x".repeat(10));
  });

  test("a pipeline keeps its order, and an error in it harms no other", async () => {
    await redis.del("p", "text");
    const results = await redis
      .pipeline()
      .set("text", "abc")
      .incr("p")
      .get("p")
      .incr("text")
      .incr("p")
      .get("p")
      .exec();
    expect(results?.map(([error, value]) => error?.message ?? value)).toEqual([
      "OK",
      1,
      "1",
      "ERR value is not an integer or out of range",
      2,
      "2",
    ]);
    const long = redis.pipeline();
    for (let n = 0; n < 5000; n++) long.incr("long");
    expect((await long.exec())?.map(([, value]) => value)).toEqual(
      Array.from({ length: 5000 }, (_, n) => n + 1),
    );
  });

  test("transactions", async () => {
    await redis.del("t");
    expect(await redis.multi().set("t", "1").incr("t").get("t").exec()).toEqual([
      [null, "OK"],
      [null, 2],
      [null, "2"],
    ]);
    const other = redis.duplicate();
    await other.watch("t");
    await redis.set("t", "changed");
    expect(await other.multi().set("t", "mine").exec()).toBeNull();
    await other.watch("t");
    expect(await other.multi().set("t", "mine").exec()).toEqual([[null, "OK"]]);
    expect(await redis.get("t")).toBe("mine");
    other.disconnect();
  });

  test("a scan finds every key", async () => {
    await redis.flushall();
    const names = Array.from({ length: 300 }, (_, n) => `scan:${n}`);
    await redis.mset(names.flatMap((name) => [name, "x"]));
    const found = new Set<string>();
    for await (const part of redis.scanStream({ match: "scan:*", count: 50 })) {
      for (const name of part as string[]) found.add(name);
    }
    expect(found).toEqual(new Set(names));
    expect(await redis.dbsize()).toBe(300);
  });

  test("both protocols, with the shapes of each", async () => {
    for (const protocol of [2, 3] as const) {
      const client = new Redis({ port: server.port, protocol, enableAutoPipelining: true });
      const values = await Promise.all([
        client.set("auto", protocol),
        client.get("auto"),
        client.strlen("auto"),
      ]);
      expect(values).toEqual(["OK", String(protocol), 1]);
      expect(await client.info("server")).toContain("redis_version:7.0");
      client.disconnect();
    }
  });
});

describe.each(SERVERS)("node-redis with $name", ({ start }) => {
  let server: ClientServer;

  beforeAll(async () => {
    server = await start();
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test.each([2, 3] as const)("everyday commands in version %d of the protocol", async (RESP) => {
    const client = await createClient({ RESP, socket: { port: server.port, host: "127.0.0.1" } }).connect();
    try {
      await client.flushAll();
      expect(await client.ping()).toBe("PONG");
      expect(await client.set("name", "Seshat", { expiration: { type: "EX", value: 100 } })).toBe("OK");
      expect(await client.get("name")).toBe("Seshat");
      expect(await client.set("name", "other", { condition: "NX" })).toBeNull();
      expect(await client.pTTL("name")).toBeGreaterThan(90_000);
      expect(await client.persist("name")).toBe(1);
      expect(await client.mSet({ a: "1", b: "2" })).toBe("OK");
      expect(await client.mGet(["a", "none", "b"])).toEqual(["1", null, "2"]);
      expect(await client.getEx("a", { type: "EX", value: 50 })).toBe("1");
      expect(await client.getDel("a")).toBe("1");
      expect(await client.append("b", "3")).toBe(2);
      expect(await client.rename("b", "c")).toBe("OK");
      await expect(client.rename("none", "c")).rejects.toThrow("ERR no such key");
      expect(await client.sendCommand(["GET", "c"])).toBe("23");
      const found: string[] = [];
      for await (const keys of client.scanIterator()) found.push(...keys);
      expect(found.sort()).toEqual(["c", "name"]);
      // What the client sends in one turn goes out together.
      const many = await Promise.all(Array.from({ length: 1000 }, () => client.incr("many")));
      expect(many).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1));
    } finally {
      client.destroy();
    }
  });

  test("transactions, and what another changes meanwhile", async () => {
    const options = { socket: { port: server.port, host: "127.0.0.1" } };
    const one = await createClient(options).connect();
    const two = await createClient(options).connect();
    try {
      await one.set("t", "1");
      expect(await one.multi().incr("t").get("t").exec()).toEqual([2, "2"]);
      await one.watch("t");
      await two.set("t", "10");
      await expect(one.multi().incr("t").exec()).rejects.toThrow(WatchError);
      await one.watch("t");
      expect(await one.multi().incr("t").exec()).toEqual([11]);
    } finally {
      one.destroy();
      two.destroy();
    }
  });
});

describe("a server that is killed and started again", () => {
  let server: ClientServer;

  beforeAll(async () => {
    server = await startSeshatServer();
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test("ioredis and node-redis come back by themselves, and find what was acknowledged", async () => {
    const redis = new Redis({ port: server.port, retryStrategy: () => 20 });
    redis.on("error", () => {});
    const client = createClient({
      socket: { port: server.port, host: "127.0.0.1", reconnectStrategy: () => 20 },
    });
    client.on("error", () => {});
    await client.connect();
    try {
      for (let round = 0; round < 3; round++) {
        expect(await redis.set(`io:${round}`, "kept", "EX", 1000)).toBe("OK");
        expect(await client.set(`node:${round}`, "kept")).toBe("OK");
        await server.restart?.();
        // Both have lost their connections; each command waits until it has a new one.
        expect(await redis.get(`io:${round}`)).toBe("kept");
        expect(await client.get(`node:${round}`)).toBe("kept");
        expect(await redis.ttl(`io:${round}`)).toBeGreaterThan(900);
      }
      expect(await redis.dbsize()).toBe(6);
    } finally {
      redis.disconnect();
      client.destroy();
    }
  });
});
