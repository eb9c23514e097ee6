/** One node of a cluster of processes, which does what it is told: for `durable` and `transfer`. */
import type { Request } from "@seshat/common";
import { until } from "@seshat/raft";
import { encodeOperation } from "@seshat/storage";
import { startBenchNode } from "../cluster/bench-node.js";
import type { AppliedTally } from "../cluster/bench-node.js";
import type { NodeAnswer, NodeKind, NodeOrder } from "../cluster/node-messages.js";
import { hashIndex } from "../cluster/tally.js";
import { closedLoop, runClosedLoop } from "../load/closed-loop.js";
import { promiseLimit } from "../load/promise-limit.js";

const PATIENCE_MS = 120_000;
const COMMAND_BYTES = 64;
const VALUE_BYTES = 100;
const WATCH_EVERY_MS = 20;
const LOOK_EVERY = 997;

const [, , kind = "memory", id = "1", dir = ""] = process.argv;
const node = await startBenchNode(kind as NodeKind, Number(id), dir);
const { raft } = node;
const acknowledged: Pick<AppliedTally, "writes" | "writesHash"> = { writes: 0, writesHash: 0 };
let stop = Promise.withResolvers<void>();
let nextKey = 0;

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setFloat64(0, number);
  return key;
}

function setter(keys: number): () => Request {
  const value = new Uint8Array(VALUE_BYTES);
  return () => {
    const key = keyOf(nextKey);
    nextKey = (nextKey + 1) % keys;
    return { data: encodeOperation({ type: "set", key, value }) };
  };
}

async function missingOf(keys: number): Promise<number> {
  let missing = 0;
  for (let key = 0; key < keys; key += LOOK_EVERY) if (!(await node.has(keyOf(key)))) missing += 1;
  return missing;
}

const meaningless: Request = { data: new Uint8Array(COMMAND_BYTES) };

let memory = { baseline: 0, peak: 0 };
let watcher: NodeJS.Timeout | null = null;

function watchMemory(): void {
  if (watcher !== null) clearInterval(watcher);
  globalThis.gc?.();
  const baseline = process.memoryUsage.rss();
  memory = { baseline, peak: baseline };
  watcher = setInterval(() => {
    memory.peak = Math.max(memory.peak, process.memoryUsage.rss());
  }, WATCH_EVERY_MS);
}

async function obey(order: NodeOrder): Promise<NodeAnswer> {
  switch (order.type) {
    case "initialize":
      await raft.initialize(order.members.map(([member, addr]) => [member, { addr }] as const));
      raft.trigger.elect();
      await raft.wait(until.leader(raft.id), PATIENCE_MS);
      return { type: "done" };
    case "round": {
      const { clients, seconds, operations, keys } = order;
      const command = keys === null ? () => meaningless : setter(keys);
      stop = Promise.withResolvers<void>();
      const loop = closedLoop(
        clients,
        () => raft.clientWrite(command()),
        ({ logId }) => {
          acknowledged.writes += 1;
          acknowledged.writesHash = (acknowledged.writesHash + hashIndex(logId.index)) | 0;
        },
      );
      const length = { seconds, until: stop.promise, ...(operations !== null && { operations }) };
      return { type: "round", round: await runClosedLoop(loop, length) };
    }
    case "limit":
      return {
        type: "round",
        round: await runClosedLoop(promiseLimit(order.clients), { seconds: order.seconds }),
      };
    case "stop":
      stop.resolve();
      return { type: "done" };
    case "snapshot":
      await raft.trigger.snapshot();
      return { type: "done" };
    case "addLearner":
      await raft.addLearner(order.id, { addr: order.addr }, { blocking: true, timeoutMs: PATIENCE_MS });
      return { type: "done" };
    case "verify": {
      const upto = order.upto ?? raft.metrics().lastLogId.index;
      await raft.wait(until.applied(upto), PATIENCE_MS);
      const { lastLogId, term, snapshot } = raft.metrics();
      const verified = {
        lastIndex: lastLogId.index,
        term,
        isLeader: raft.isLeader(),
        applied: node.applied,
        acknowledged,
        missing: await missingOf(order.keys),
        snapshotIndex: snapshot.index,
      };
      return { type: "verified", verified };
    }
    case "watchMemory":
      watchMemory();
      return { type: "done" };
    case "memory":
      return { type: "memory", memory };
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return { type: "cpu", us: user + system };
    }
    default:
      throw new Error(`unknown order ${JSON.stringify(order satisfies never)}`);
  }
}

function say(number: number, answer: NodeAnswer): void {
  process.send?.({ number, answer });
}

process.on("message", ({ number, order }: { readonly number: number; readonly order: NodeOrder }) => {
  obey(order).then(
    (answer) => say(number, answer),
    (thrown: unknown) =>
      say(number, { type: "failed", message: thrown instanceof Error ? thrown.message : String(thrown) }),
  );
});
// It is not needed any more, or nobody is left who could say so. What it leaves is thrown away.
process.once("disconnect", () => process.exit());
say(0, { type: "ready", address: node.address });
