import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@seshat/raft";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningServer } from "../src/index.js";
import { startServer } from "../src/index.js";
import type { MetricsListener } from "../src/metrics/serve-metrics.js";
import { serveMetrics } from "../src/metrics/serve-metrics.js";
import { RespClient } from "./resp-client.js";

let root: string;
let server: RunningServer;
let listener: MetricsListener;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "seshat-metrics-"));
  server = await startServer({ dir: join(root, "data"), port: 0, whenNew: "wait" });
  listener = await serveMetrics(server.context, "127.0.0.1:0");
});

afterAll(async () => {
  await listener.close();
  await server.close();
  await rm(root, { recursive: true, force: true });
});

async function get(path: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`http://${listener.address}${path}`);
  return { status: response.status, body: await response.text() };
}

it("says whether it is alive and ready, what it has done, and where it stands", async () => {
  expect(await get("/healthz")).toEqual({ status: 200, body: '{"ok":true}\n' });
  expect(await get("/readyz")).toEqual({
    status: 503,
    body: '{"ok":false,"problem":"no leader is known"}\n',
  });
  await server.node.raft.initialize([[1, server.context.self]]);
  await server.node.raft.wait(until.leader(), 60_000);
  expect((await get("/readyz")).status).toBe(200);

  using client = await RespClient.connect(server.address);
  await client.pipeline([["SET", "a", "1"], ["SET", "b", "1", "EX", "100"], ["GET", "a"], ["NONSENSE"]]);
  const { status, body } = await get("/metrics");
  expect(status).toBe(200);
  const lines = body.split("\n");
  expect(lines).toContain('seshat_commands_total{command="set"} 2');
  expect(lines).toContain('seshat_commands_total{command="get"} 1');
  expect(lines).toContain('seshat_errors_total{code="ERR"} 1');
  expect(lines).toContain("seshat_keys 2");
  expect(lines).toContain("seshat_keys_with_deadline 1");
  expect(lines).toContain("seshat_clients 1");
  expect(lines).toContain("seshat_raft_leader 1");
  expect(lines).toContain("seshat_raft_term 1");
  // What is read twice is not counted twice.
  expect((await get("/metrics")).body.split("\n")).toContain('seshat_commands_total{command="set"} 2');

  expect((await get("/elsewhere")).status).toBe(404);
  expect((await fetch(`http://${listener.address}/metrics`, { method: "POST" })).status).toBe(405);
  await server.node.raft.shutdown();
  expect((await get("/healthz")).status).toBe(503);
});
