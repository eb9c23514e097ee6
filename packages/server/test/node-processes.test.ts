import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NodeProcess } from "./node-process.js";

let root: string;
let nodes: NodeProcess[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "seshat-processes-"));
  nodes = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.kill()));
  await rm(root, { recursive: true, force: true });
});

async function start(id: number): Promise<NodeProcess> {
  const node = await NodeProcess.start(id, join(root, String(id)));
  nodes.push(node);
  return node;
}

/** The node that leads, once those that are asked agree on one among them. */
async function leaderOf(among: readonly NodeProcess[]): Promise<NodeProcess> {
  for (;;) {
    const ids = await Promise.all(among.map((node) => node.call({ type: "leader" })));
    const leader = among.find(({ id }) => id === ids[0]);
    if (leader !== undefined && ids.every((id) => id === leader.id)) return leader;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

it("three processes with stores of their own are a cluster, which outlives kill -9 of its leader, and hands over when one is closed", async () => {
  const [first, second, third] = [await start(1), await start(2), await start(3)];
  await first.call({ type: "initialize", members: nodes.map(({ id, address }) => [id, address] as const) });
  const leader = await leaderOf([first, second, third]);
  await leader.call({ type: "set", key: "colour", value: "blue" });
  for (const node of nodes) expect(await node.call({ type: "get", key: "colour" })).toBe("blue");

  await leader.kill();
  const rest = [first, second, third].filter((node) => node !== leader);
  const next = await leaderOf(rest);
  await next.call({ type: "set", key: "size", value: "XL" });

  // It has another port now: who leads has to be told where it is.
  const again = await start(leader.id);
  await next.call({ type: "move", members: [[again.id, again.address]] });
  expect(await again.call({ type: "get", key: "size" })).toBe("XL");

  const [other] = rest.filter((node) => node !== next) as [NodeProcess];
  expect(await next.close()).toBe(0);
  const last = await leaderOf([again, other]);
  await last.call({ type: "set", key: "size", value: "S" });
  expect(await other.call({ type: "get", key: "colour" })).toBe("blue");
  expect(await again.call({ type: "get", key: "size" })).toBe("S");
});

it("a directory that a running process uses, and one of another node, are refused", async () => {
  const node = await start(1);
  await expect(NodeProcess.start(1, join(root, "1"))).rejects.toThrow("did not start");
  await node.call({ type: "initialize", members: [[1, node.address]] });
  expect(await node.close()).toBe(0);
  await expect(NodeProcess.start(2, join(root, "1"))).rejects.toThrow("did not start");
});
