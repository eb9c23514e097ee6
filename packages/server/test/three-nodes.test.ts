import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@seshat/raft";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningServer, ServerOptions } from "../src/index.js";
import { startServer } from "../src/index.js";
import { RespClient } from "./resp-client.js";

/** Small, so that little does not fit. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

let root: string;
const servers: RunningServer[] = [];
/** What the founder knew when it had answered. */
let ledWhenFounded: number | null = null;
let committedWhenFounded = 0;

async function start(id: number, options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    id,
    dir: join(root, String(id)),
    port: 0,
    whenNew: "wait",
    grpc: { maxMessageBytes: MAX_MESSAGE_BYTES },
    ...options,
  });
  servers.push(server);
  return server;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "seshat-three-"));
  for (const id of [1, 2, 3]) await start(id);
  using client = await RespClient.connect(servers[0]?.address ?? "");
  const members = servers.flatMap(({ node, context: { self } }) => [
    String(node.raft.id),
    self.addr,
    self.clientAddr,
  ]);
  const reply = await client.call("SESHAT", "BOOTSTRAP", ...members);
  if (reply !== "OK") throw new Error(String(reply));
  ledWhenFounded = servers[0]?.node.raft.leaderId() ?? null;
  committedWhenFounded = servers[0]?.node.raft.metrics().committed.term ?? 0;
  for (const { node } of servers) await node.raft.wait(until.leader(), 60_000);
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(root, { recursive: true, force: true });
});

function leader(): RunningServer {
  const id = servers[0]?.node.raft.leaderId();
  return servers.find(({ node }) => node.raft.id === id) as RunningServer;
}

function followers(): RunningServer[] {
  return servers.filter((server) => server !== leader());
}

it("a cluster that is founded has a leader, which has committed an entry of its term", () => {
  expect(ledWhenFounded).not.toBeNull();
  expect(committedWhenFounded).toBeGreaterThan(0);
});

describe("a follower", () => {
  it("serves writes, reads and transactions through the leader, in the order of the pipeline", async () => {
    using client = await RespClient.connect(followers()[0]?.address ?? "");
    const count = 2000;
    const commands = Array.from({ length: count }, (_, i) => (i % 4 === 0 ? ["GET", "n"] : ["INCR", "n"]));
    let n = 0;
    const expected = commands.map(([name]) => (name === "INCR" ? ++n : n === 0 ? null : String(n)));
    expect(await client.pipeline(commands)).toEqual(expected);
    expect(
      await client.pipeline([
        ["WATCH", "n"],
        ["GET", "n"],
        ["MULTI"],
        ["SET", "n", "x"],
        ["PING"],
        ["EXEC"],
        ["GET", "n"],
      ]),
    ).toEqual(["OK", String(n), "OK", "QUEUED", "QUEUED", ["OK", "PONG"], "x"]);
    expect(await client.pipeline([["INCR", "n"], ["LPOP"], ["MULTI"], ["EXEC"]])).toContainEqual(
      new Error("ERR value is not an integer or out of range"),
    );
  });

  it("passes on replies that do not fit into one message between nodes, and never says of a write that was made that it was not", async () => {
    using client = await RespClient.connect(followers()[0]?.address ?? "");
    const element = "x".repeat(60_000);
    await client.call("RPUSH", "large", ...Array.from({ length: 10 }, () => element));
    const reads = Array.from({ length: 8 }, () => ["LRANGE", "large", "0", "-1"]);
    const lengths = (replies: readonly unknown[]): unknown[] =>
      replies.map((reply) => (Array.isArray(reply) ? reply.length : reply));
    expect(lengths(await client.pipeline(reads))).toEqual(reads.map(() => 10));

    const tooLarge = new Error(
      "ERR the command was carried out, but its reply is too large to come through a node that does not lead: ask the leader",
    );
    const replies = await client.pipeline([["MULTI"], ["SET", "beside", "it"], ...reads, ["EXEC"]]);
    expect(replies.at(-1)).toEqual(tooLarge);
    // To a new client replies are expected to be small, and all of these go together.
    using other = await RespClient.connect(followers()[0]?.address ?? "");
    expect(lengths(await other.pipeline([["INCR", "count"], ...reads]))).toEqual([
      1,
      10,
      10,
      10,
      ...reads.slice(3).map(() => tooLarge),
    ]);
    expect(
      await client.pipeline([
        ["GET", "beside"],
        ["GET", "count"],
      ]),
    ).toEqual(["it", "1"]);
    await client.call("DEL", "large", "beside", "count");
  });

  it("reads what was answered before on any other node", async () => {
    const clients = await Promise.all(servers.map(({ address }) => RespClient.connect(address)));
    for (let round = 0; round < 30; round++) {
      await clients[round % 3]?.call("SET", "round", String(round));
      const seen = await Promise.all(clients.map((client) => client.call("GET", "round")));
      expect(seen).toEqual(clients.map(() => String(round)));
    }
    for (const client of clients) client.close();
  });

  it("does not open a transaction that somebody else has disturbed through another node", async () => {
    const [first, second] = followers() as [RunningServer, RunningServer];
    using client = await RespClient.connect(first.address);
    using other = await RespClient.connect(second.address);
    await client.call("SET", "watched", "1");
    await client.call("WATCH", "watched");
    await other.call("SET", "watched", "2");
    expect(await client.pipeline([["MULTI"], ["SET", "watched", "3"], ["EXEC"]])).toEqual([
      "OK",
      "QUEUED",
      null,
    ]);
  });

  it("says where the leader is when it is asked to, and how the cluster looks", async () => {
    using client = await RespClient.connect(followers()[0]?.address ?? "");
    const { address } = leader();
    expect(await client.call("CLUSTER-REDIRECT", "ON")).toBe("OK");
    expect(await client.call("GET", "foo")).toEqual(new Error(`MOVED 12182 ${address}`));
    expect(await client.call("CLUSTER-REDIRECT", "OFF")).toBe("OK");
    expect(await client.call("CLUSTER", "KEYSLOT", "{user1000}.following")).toBe(3443);
    expect(await client.call("CLUSTER", "INFO")).toContain("cluster_state:ok\r\n");
    const [range] = (await client.call("CLUSTER", "SLOTS")) as [[number, number, [string, number]]];
    expect(range.slice(0, 2)).toEqual([0, 16_383]);
    expect(`127.0.0.1:${range[2][1]}`).toBe(address);
    expect(
      String(await client.call("CLUSTER", "NODES"))
        .trim()
        .split("\n"),
    ).toHaveLength(3);
  });

  it("serves old state only to those who chose it", async () => {
    const [follower] = followers() as [RunningServer];
    using client = await RespClient.connect(follower.address);
    const index = leader().node.raft.metrics().lastLogId.index;
    await follower.node.raft.wait(until.applied(index), 60_000);
    expect(await client.call("READONLY")).toBe("OK");
    expect(await client.call("GET", "watched")).toBe("2");
    expect(follower.context.gateway.reads.waitingBytes).toBe(0);
    expect(await client.call("READWRITE")).toBe("OK");
    expect(await client.call("GET", "watched")).toBe("2");
  });
});

describe("operators", () => {
  it("hand the leadership over while clients write, and no client notices but by waiting", async () => {
    const before = leader();
    const [target] = followers() as [RunningServer];
    const clients = await Promise.all(servers.map(({ address }) => RespClient.connect(address)));
    await clients[0]?.call("SET", "count", "0");
    const writing = clients.map(async (client) => {
      const replies: unknown[] = [];
      for (let i = 0; i < 60; i++) replies.push(await client.call("INCR", "count"));
      return replies;
    });
    using operator = await RespClient.connect(before.address);
    expect(await operator.call("SESHAT", "TRANSFER", String(target.node.raft.id))).toBe(target.node.raft.id);
    const replies = (await Promise.all(writing)).flat();
    expect(replies.filter((reply) => typeof reply !== "number")).toEqual([]);
    expect(new Set(replies).size).toBe(180);
    expect(await operator.call("GET", "count")).toBe("180");
    for (const client of clients) client.close();
  });

  it("take a node out, and another in", async () => {
    const [gone] = followers() as [RunningServer];
    using operator = await RespClient.connect(leader().address);
    expect(await operator.call("SESHAT", "REMOVE", String(gone.node.raft.id))).toBe("OK");
    expect(await operator.call("SESHAT", "REMOVE", String(gone.node.raft.id))).toBeInstanceOf(Error);
    await gone.close();
    servers.splice(servers.indexOf(gone), 1);

    const fresh = await start(4);
    const { self } = fresh.context;
    expect(await operator.call("SESHAT", "ADD", "4", self.addr, self.clientAddr)).toBe("OK");
    using client = await RespClient.connect(fresh.address);
    expect(await client.call("GET", "count")).toBe("180");
    const status = JSON.parse(String(await client.call("SESHAT", "STATUS"))) as {
      members: { id: number; votes: boolean }[];
    };
    expect(status.members.filter(({ votes }) => votes)).toHaveLength(3);
    expect(status.members.map(({ id }) => id)).toContain(4);
  });

  it("tell the others where a node is that has moved", async () => {
    const [moved] = followers() as [RunningServer];
    const { id } = moved.node.raft;
    await moved.close();
    servers.splice(servers.indexOf(moved), 1);
    const again = await start(id);
    expect(again.context.self.addr).not.toBe(moved.context.self.addr);
    const { self } = again.context;
    using operator = await RespClient.connect(leader().address);
    const refused = await operator.call("SESHAT", "ADD", String(id), self.addr, self.clientAddr);
    expect(String(refused)).toContain("is a member already");
    expect(await operator.call("SESHAT", "MOVE", String(id), self.addr, self.clientAddr)).toBe("OK");
    await again.node.raft.wait(until.leader(), 60_000);
    using client = await RespClient.connect(again.address);
    expect(await client.call("INCR", "count")).toBe(181);
  });

  it("cannot found a second cluster on nodes of this one", async () => {
    using operator = await RespClient.connect(leader().address);
    const { node, context } = leader();
    const reply = await operator.call(
      "SESHAT",
      "BOOTSTRAP",
      String(node.raft.id),
      context.self.addr,
      context.self.clientAddr,
    );
    expect(String(reply)).toContain("belongs to a cluster already");
    const fresh = await start(9);
    using other = await RespClient.connect(fresh.address);
    const members = [fresh, leader()].flatMap(({ node: { raft }, context: { self } }) => [
      String(raft.id),
      self.addr,
      self.clientAddr,
    ]);
    expect(await other.call("SESHAT", "BOOTSTRAP", ...members)).toBeInstanceOf(Error);
    expect(fresh.node.raft.metrics().lastLogId.index).toBe(0);
  });
});

it("without a leader reads and writes are refused, once their time is up, and a write is certainly not made", async () => {
  const alone = await start(21, { commandTimeoutMs: 200 });
  using client = await RespClient.connect(alone.address);
  expect(await client.pipeline([["SET", "a", "1"], ["PING"], ["GET", "a"]])).toEqual([
    new Error("CLUSTERDOWN The write was not made: the cluster has no leader"),
    "PONG",
    new Error("CLUSTERDOWN The write was not made: the cluster has no leader"),
  ]);
  expect(await client.call("GET", "a")).toEqual(new Error("CLUSTERDOWN The cluster has no leader"));

  // Replies that wait for one that takes its time are bounded, and come in the end.
  const replies = await client.pipeline([["SET", "a", "1"], ...Array.from({ length: 5000 }, () => ["PING"])]);
  expect(replies[0]).toBeInstanceOf(Error);
  expect(replies.slice(1)).toEqual(Array.from({ length: 5000 }, () => "PONG"));
});
