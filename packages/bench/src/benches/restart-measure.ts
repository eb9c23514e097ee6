import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BytesTypeConfig } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import { until } from "@seshat/raft";
import { KeyValueStateMachine, encodeOperation } from "@seshat/storage";
import { openRocksdbStorage } from "@seshat/storage-rocksdb";
import type { RunningNode } from "seshat";
import { startNode } from "seshat";
import type { BenchResult, BenchSettings } from "../bench.js";
import { VerificationError } from "../cluster/tally.js";
import { closedLoop, runClosedLoop } from "../load/closed-loop.js";
import { rounded } from "../statistics/figures.js";
import { median, summarize } from "../statistics/summary.js";

/** Entries of the log, by how many clients wrote it: one that waits for each of its writes writes few of them. */
const ENTRIES: Readonly<Record<number, number>> = { 1: 20_000, 64: 300_000, 256: 500_000 };
const KEYS = 1000;
const PATIENCE_MS = 600_000;

type Node = RunningNode<BytesTypeConfig>;

const utf8 = new TextEncoder();

function keyOf(write: number): Uint8Array {
  return utf8.encode(`key-${write % KEYS}`);
}

function valueOf(write: number): Uint8Array {
  return utf8.encode(`value-${write}`.padEnd(64, "."));
}

function start(dir: string, stateMachine: KeyValueStateMachine): Promise<Node> {
  return startNode<BytesTypeConfig>({
    id: 1,
    dir,
    address: "127.0.0.1:0",
    stateMachine,
    codec: BYTES_CODEC,
    // A disk that others use too may hang for a while.
    raft: { snapshotPolicy: { type: "never" }, storageStallMs: 60_000 },
  });
}

/** Writes a log that no snapshot stands for. @returns its last index. */
async function writeLog(dir: string, clients: number, entries: number): Promise<number> {
  await using node = await start(dir, new KeyValueStateMachine());
  await node.raft.initialize([[1, { addr: node.address }]]);
  let written = 0;
  let last = 0;
  const write = (): Promise<{ readonly logId: { readonly index: number } }> => {
    const number = written++;
    const data = encodeOperation({ type: "set", key: keyOf(number), value: valueOf(number) });
    return node.raft.clientWrite({ data });
  };
  const loop = closedLoop(clients, write, ({ logId }) => {
    last = Math.max(last, logId.index);
  });
  await runClosedLoop(loop, { seconds: Number.POSITIVE_INFINITY, operations: entries });
  return last;
}

/** What it took. */
interface Cost {
  readonly seconds: number;
  /** Processor time of the whole process. */
  readonly cpuUs: number;
}

/** @returns a function that tells what it took since then. */
function meter(): () => Cost {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - startedAt) / 1000, cpuUs: user + system };
  };
}

/** Reads all of the log, and nothing else. @returns the last index, and what it took, the opening of the store included. */
async function readBack(dir: string): Promise<Cost & { readonly last: number }> {
  const took = meter();
  await using store = await openRocksdbStorage<BytesTypeConfig>(dir, {
    stateMachine: new KeyValueStateMachine(),
    codec: BYTES_CODEC,
  });
  const { lastPurgedLogId, lastLogId } = await store.storage.readLogState();
  let next = lastPurgedLogId.index + 1;
  while (next <= lastLogId.index) {
    const entries = await store.storage.readEntries(next, lastLogId.index);
    for (const { logId } of entries) {
      if (logId.index !== next) throw new VerificationError(`entry ${logId.index} where ${next} has to be`);
      next += 1;
    }
  }
  return { last: lastLogId.index, ...took() };
}

/** Starts the node until it has applied all of its log again, its election included. */
async function replay(dir: string, last: number): Promise<Cost> {
  const machine = new KeyValueStateMachine();
  const took = meter();
  await using node = await start(dir, machine);
  await node.raft.wait(until.applied(last), PATIENCE_MS);
  const cost = took();
  if (machine.size !== KEYS) throw new VerificationError(`${machine.size} keys of ${KEYS} are there again`);
  return cost;
}

/** Writes a log with so many clients, and starts a node on it again and again. */
export async function measureRestart(
  clients: number,
  { rounds, scale, progress }: BenchSettings,
): Promise<BenchResult> {
  const entries = Math.max(Math.ceil((ENTRIES[clients] ?? 100_000) * scale), KEYS);
  const dir = await mkdtemp(join(tmpdir(), "seshat-restart-"));
  try {
    progress(`${clients} clients write ${entries} entries`);
    const last = await writeLog(dir, clients, entries);
    const reads: Cost[] = [];
    const replays: Cost[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      progress(`${clients} clients, round ${round} of ${rounds}`);
      const read = await readBack(dir);
      // A leader begins its term with an entry of its own.
      if (read.last < last) throw new VerificationError(`${read.last} entries of ${last} were read`);
      reads.push(read);
      replays.push(await replay(dir, last));
    }
    const perSec = (costs: readonly Cost[]): number[] => costs.map(({ seconds }) => last / seconds);
    const cpuUs = (costs: readonly Cost[]): number => rounded(median(costs.map((cost) => cost.cpuUs)) / last);
    return {
      bench: "restart",
      clients,
      entries: last,
      readPerSec: Math.round(median(perSec(reads))),
      readCpuUs: cpuUs(reads),
      replayPerSec: Math.round(median(perSec(replays))),
      replayCpuUs: cpuUs(replays),
      spread: rounded(summarize(perSec(replays)).spread),
      rounds,
      verified: true,
    };
  } finally {
    await rm(dir, { recursive: true });
  }
}
