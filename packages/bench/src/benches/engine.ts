import type { EngineStep, EngineWatcher } from "@seshat/raft";
import { systemRuntime } from "@seshat/raft";
import type { Bench } from "../bench.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import { VerificationError } from "../cluster/tally.js";
import { runClosedLoop } from "../load/closed-loop.js";
import { count, micros, percent, text } from "../statistics/cells.js";
import { rounded } from "../statistics/figures.js";
import { summarize } from "../statistics/summary.js";
import type { EngineParts, EngineStart } from "./engine-parts.js";
import { loadEngineParts } from "./engine-parts.js";

/** Writes recorded at full scale, for each number of clients. */
const WRITES = 50_000;
/** Events of one round at full scale: a short record is replayed several times. */
const EVENTS = 250_000;

/** Chance is the same when it is recorded and when it is replayed. */
const random = (): number => 0.5;

/** What the engine of a node started with, and every step that it took. */
class Recorder implements EngineWatcher {
  start: EngineStart | null = null;
  startedAt = 0;
  commands = 0;
  readonly steps: Pick<EngineStep, "event" | "now">[] = [];
  end: EngineStep["state"] | null = null;

  started(state: EngineStep["state"]): void {
    const { id, incarnation, vote, memberships, snapshot, applied, committed } = state;
    this.startedAt = systemRuntime.now();
    this.start = {
      id,
      incarnation,
      vote,
      memberships: [...memberships],
      snapshot: snapshot.lastLogId,
      applied,
      committed,
    };
  }

  stepped({ event, commands, now, state }: EngineStep): void {
    this.steps.push({ event, now });
    this.commands += commands.length;
    this.end = state;
  }
}

/** Lets a cluster of three write, and records one of its nodes. */
async function record(nodeId: number, clients: number, writes: number): Promise<Recorder> {
  const recorder = new Recorder();
  await using cluster = await BenchCluster.start<EmptyConfig>({
    nodes: 3,
    makeStorage: emptyStorage,
    watcher: (id) => (id === nodeId ? recorder : null),
    runtime: { ...systemRuntime, random },
  });
  const writers = cluster.writers(clients, () => null);
  await runClosedLoop(writers, { seconds: Number.POSITIVE_INFINITY, operations: writes });
  await cluster.verify();
  return recorder;
}

/** Takes every recorded step with a new engine. @returns how many seconds of the processor's time it took: nothing here waits. */
function replay({ makeEngine }: EngineParts, recorder: Recorder): number {
  const { start, startedAt, steps, commands, end } = recorder;
  if (start === null || end === null) throw new VerificationError("no step was recorded");
  const engine = makeEngine(start, random, startedAt);
  let given = 0;
  const before = process.cpuUsage();
  for (const { event, now } of steps) given += engine.step(event, now).length;
  const { user, system } = process.cpuUsage(before);
  const { state } = engine;
  const same =
    given === commands &&
    state.log.last.index === end.log.last.index &&
    state.committed.index === end.committed.index &&
    state.applied.index === end.applied.index;
  if (!same) throw new VerificationError("the same steps did not lead to the same commands and state");
  return (user + system) / 1e6;
}

/** The pure part alone: no promise, no queue, no storage. */
export const engine: Bench = {
  name: "engine",
  about:
    "events per second of CPU of the bare engine: a leader's and a follower's steps, recorded and replayed",
  keys: ["role", "clients"],
  compared: ["eventsPerSec", "nsPerWrite"],
  columns: [
    text("role", "role"),
    text("clients", "clients"),
    count("events/s", "eventsPerSec"),
    micros("ns/event", "nsPerEvent"),
    micros("ns/write", "nsPerWrite"),
    count("events", "events"),
    percent("spread", "spread"),
  ],
  async *run({ clients = [1, 64, 1024], rounds, scale, progress }) {
    const parts = await loadEngineParts();
    for (const [role, nodeId] of [
      ["leader", 1],
      ["follower", 2],
    ] as const) {
      for (const count of clients) {
        const writes = Math.max(count, Math.ceil(WRITES * scale));
        progress(`${role}, ${count} clients`);
        const recorder = await record(nodeId, count, writes);
        const replays = Math.ceil((EVENTS * scale) / recorder.steps.length);
        const round = (): number => {
          let seconds = 0;
          for (let i = 0; i < replays; i += 1) seconds += replay(parts, recorder);
          return seconds;
        };
        round();
        const took = summarize(Array.from({ length: rounds }, round));
        const events = recorder.steps.length * replays;
        yield {
          bench: "engine",
          role,
          clients: count,
          eventsPerSec: Math.round(events / took.median),
          nsPerEvent: rounded((took.median * 1e9) / events),
          nsPerWrite: rounded((took.median * 1e9) / (writes * replays)),
          events,
          rounds,
          spread: rounded(took.spread),
          verified: true,
        };
      }
    }
  },
};
