import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BytesTypeConfig } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import { until } from "@seshat/raft";
import { KeyValueStateMachine, encodeOperation } from "@seshat/storage";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RunningNode } from "../src/index.js";
import { startNode } from "../src/index.js";

const PATIENCE_MS = 60_000;

let root: string;
let nodes: RunningNode<BytesTypeConfig>[];
let logged: { readonly event: string; readonly error: unknown }[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "seshat-alone-"));
  nodes = [];
  logged = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await rm(root, { recursive: true, force: true });
});

/** Three nodes of one process. @returns the one that leads, and the others. */
async function cluster(): Promise<{
  readonly leader: RunningNode<BytesTypeConfig>;
  readonly others: readonly RunningNode<BytesTypeConfig>[];
}> {
  for (const id of [1, 2, 3]) {
    const node = await startNode<BytesTypeConfig>({
      id,
      dir: join(root, String(id)),
      address: "127.0.0.1:0",
      stateMachine: new KeyValueStateMachine(),
      codec: BYTES_CODEC,
      logger: { log: (_level, event, fields) => void logged.push({ event, error: fields?.["error"] }) },
    });
    nodes.push(node);
  }
  const [first] = nodes as [RunningNode<BytesTypeConfig>];
  await first.raft.initialize(nodes.map(({ raft, address }) => [raft.id, { addr: address }] as const));
  const { currentLeader } = await first.raft.wait(until.leader(), PATIENCE_MS);
  const leader = nodes.find(({ raft }) => raft.id === currentLeader) as RunningNode<BytesTypeConfig>;
  await leader.raft.wait(until.state("leader"), PATIENCE_MS);
  await write(leader);
  return { leader, others: nodes.filter((node) => node !== leader) };
}

/** Ends once a majority has it. */
async function write({ raft }: RunningNode<BytesTypeConfig>): Promise<void> {
  await raft.clientWrite({
    data: encodeOperation({ type: "set", key: Uint8Array.of(1), value: Uint8Array.of(2) }),
  });
}

function handOvers(): typeof logged {
  return logged.filter(({ event }) => event.startsWith("node.hand"));
}

it("a leader whose peers are gone gives up to hand over once it has noticed that, and is closed", async () => {
  const { leader, others } = await cluster();
  await Promise.all(others.map((node) => node.close()));
  await leader.close();
  // It is not that its time was over. Where to close the others took so long that it had noticed before, there was nothing to give up.
  for (const { event, error } of handOvers()) {
    expect(event).toBe("node.handOver.failed");
    expect(error).toMatch(/no majority answers any more|no other voter answers/);
  }
});

it("a leader that has one peer left hands over to it", async () => {
  const { leader, others } = await cluster();
  await others[0]?.close();
  // Now it is known which of them has more.
  await write(leader);
  await leader.close();
  expect(handOvers()).toEqual([{ event: "node.handedOver", error: undefined }]);
});
