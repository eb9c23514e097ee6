import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@seshat/raft";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RunningServer } from "../src/index.js";
import { startServer } from "../src/index.js";
import { RespClient } from "./resp-client.js";

let root: string;
let servers: RunningServer[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "seshat-end-"));
  servers = [];
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(root, { recursive: true, force: true });
});

it("a leader that is told to end answers everything that it was asked before, and another leads at once", async () => {
  for (const id of [1, 2, 3])
    servers.push(await startServer({ id, dir: join(root, String(id)), port: 0, whenNew: "wait" }));
  const members = servers.map(({ node, context }) => [node.raft.id, context.self] as const);
  await servers[0]?.node.raft.initialize(members);
  for (const { node } of servers) await node.raft.wait(until.leader(), 60_000);
  const leaderId = servers[0]?.node.raft.leaderId();
  const leader = servers.find(({ node }) => node.raft.id === leaderId) as RunningServer;

  using client = await RespClient.connect(leader.address);
  client.send("INCR n\r\n".repeat(3000));
  // Once the first were begun, some are under way and some wait.
  while (leader.context.stats.commands === 0) await new Promise(setImmediate);
  await leader.close();
  // What it has begun it has answered, in order, and with what happened; the rest it has not begun.
  const made: unknown[] = [];
  for (;;) {
    const reply = await client.next().catch(() => null);
    if (reply === null) break;
    made.push(reply);
  }
  expect(made.length).toBeGreaterThan(0);
  expect(made).toEqual(Array.from({ length: made.length }, (_, i) => i + 1));

  const [other] = servers.filter((server) => server !== leader) as [RunningServer];
  using reader = await RespClient.connect(other.address);
  expect(await reader.call("GET", "n")).toBe(String(made.length));
});
