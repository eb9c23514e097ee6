import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Bench, BenchResult, BenchSettings } from "../bench.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import type { EmptyConfig } from "../cluster/empty-log.js";
import { emptyStorage } from "../cluster/empty-storage.js";
import { VerificationError } from "../cluster/tally.js";
import { ChildError } from "../compare/run-child.js";
import type { Round } from "../load/closed-loop.js";
import { runClosedLoop } from "../load/closed-loop.js";
import { count, micros, ratio, text } from "../statistics/cells.js";
import { ratios, rounded, roundFigures } from "../statistics/figures.js";
import { summarize } from "../statistics/summary.js";
import type { LongLogAnswer, LongLogOrder } from "./long-log-messages.js";

const CHILD = fileURLToPath(new URL("long-log-child.js", import.meta.url));
const SHORT = 1000;
const LONG = 10_000_000;
const WRITES = 10_000_000;
const SEGMENTS = 10;
const HEAP_LIMIT = 12_000;

/** A cluster in a process of its own, so that what one keeps costs the other nothing. */
class LogKeeper implements Disposable {
  readonly #child: ChildProcess;

  /** @param written entries before the first round: as many for a short log as for a long one, so that both are as warm. */
  constructor(keep: number, written: number, clients: number) {
    this.#child = fork(CHILD, [String(keep), String(written), String(clients)], {
      execArgv: [...process.execArgv, `--max-old-space-size=${HEAP_LIMIT}`],
    });
  }

  /** The next answer. @throws {ChildError} when the process failed. */
  async answer(): Promise<LongLogAnswer> {
    const ended = new AbortController();
    const [answer] = (await Promise.race([
      once(this.#child, "message", { signal: ended.signal }),
      once(this.#child, "exit", { signal: ended.signal }).then(([code]) => {
        throw new ChildError(`a process of long-log ended with ${String(code)}`);
      }),
    ]).finally(() => ended.abort())) as [LongLogAnswer];
    if (answer.type === "failed") throw new VerificationError(answer.message);
    return answer;
  }

  order(order: LongLogOrder): Promise<LongLogAnswer> {
    this.#child.send(order);
    return this.answer();
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

/** The same writes behind a short log and behind a long one, by turns. */
async function compareLengths(clients: number, settings: BenchSettings): Promise<BenchResult> {
  const { seconds, rounds, scale, progress } = settings;
  const long = Math.ceil(LONG * scale);
  using shortKeeper = new LogKeeper(SHORT, long, clients);
  using longKeeper = new LogKeeper(long, long, clients);
  progress(`writing ${long} entries, kept and not`);
  await Promise.all([shortKeeper.answer(), longKeeper.answer()]);
  const raft: { short: Round[]; long: Round[] } = { short: [], long: [] };
  // The first round of each is its warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    progress(`${clients} clients, round ${round} of ${rounds}`);
    for (const [side, keeper] of [
      ["short", shortKeeper],
      ["long", longKeeper],
    ] as const) {
      const answer = await keeper.order({ type: "round", seconds });
      if (answer.type === "round" && round > 0) raft[side].push(answer.raft);
    }
  }
  const kept = await Promise.all(
    [shortKeeper, longKeeper].map(async (keeper) => {
      const answer = await keeper.order({ type: "verify" });
      return answer.type === "verified" ? answer.kept : 0;
    }),
  );
  const [keptShort = 0, keptLong = 0] = kept;
  if (keptLong < long || keptShort >= long)
    throw new VerificationError(`the logs hold ${kept.join(" and ")} entries`);
  const speed = summarize(ratios(raft.long, raft.short, ({ perSecond }) => perSecond));
  return {
    bench: "long-log",
    case: `${long} entries kept, against ${SHORT}`,
    nodes: 3,
    clients,
    firstPerSec: roundFigures(raft.short).perSec,
    lastPerSec: roundFigures(raft.long).perSec,
    ratio: rounded(speed.median),
    ratioMin: rounded(speed.min),
    ratioMax: rounded(speed.max),
    firstCpuUs: roundFigures(raft.short).cpuUs,
    lastCpuUs: roundFigures(raft.long).cpuUs,
    cpuRatio: rounded(summarize(ratios(raft.long, raft.short, (round) => round.cpuUsPerOperation)).median),
    keptShort,
    keptLong,
    rounds,
    verified: true,
  };
}

/** Ten million writes with snapshots and purges on, in ten parts: the last against the first after the warm-up. */
async function runLong(clients: number, { scale, progress }: BenchSettings): Promise<BenchResult> {
  await using cluster = await BenchCluster.start<EmptyConfig>({ nodes: 3, makeStorage: emptyStorage });
  const loop = cluster.writers(clients, () => null);
  const operations = Math.ceil((WRITES * scale) / SEGMENTS);
  const parts: Round[] = [];
  for (let part = 0; part <= SEGMENTS; part += 1) {
    progress(`${clients} clients, ${part * operations} of ${SEGMENTS * operations} writes`);
    const round = await runClosedLoop(loop, { seconds: Number.POSITIVE_INFINITY, operations });
    if (part > 0) parts.push(round);
  }
  const verified = await cluster.verify();
  const half = parts.length / 2;
  const [first, last] = [parts.slice(0, half), parts.slice(half)];
  const { snapshot, purged } = cluster.leader.metrics();
  if (purged.index === 0) throw new VerificationError("nothing was purged");
  const speed = summarize(ratios(last, first, ({ perSecond }) => perSecond));
  return {
    bench: "long-log",
    case: `${SEGMENTS * operations} writes, last half against first`,
    nodes: 3,
    clients,
    firstPerSec: roundFigures(first).perSec,
    lastPerSec: roundFigures(last).perSec,
    ratio: rounded(speed.median),
    ratioMin: rounded(speed.min),
    ratioMax: rounded(speed.max),
    firstCpuUs: roundFigures(first).cpuUs,
    lastCpuUs: roundFigures(last).cpuUs,
    cpuRatio: rounded(roundFigures(last).cpuUs / roundFigures(first).cpuUs),
    snapshot: snapshot.index,
    purged: purged.index,
    ...verified,
  };
}

/** A write must not cost more because there were others before it. */
export const longLog: Bench = {
  name: "long-log",
  about: "cost of a write with 1 thousand against 10 million entries kept, and along 10 million writes",
  keys: ["case", "clients"],
  compared: ["ratio", "cpuRatio"],
  columns: [
    text("case", "case"),
    text("clients", "clients"),
    count("puts/s, first", "firstPerSec"),
    count("last", "lastPerSec"),
    ratio("last : first", "ratio"),
    ratio("least", "ratioMin"),
    ratio("most", "ratioMax"),
    micros("CPU us/put, first", "firstCpuUs"),
    micros("last", "lastCpuUs"),
    ratio("last : first", "cpuRatio"),
  ],
  async *run(settings) {
    for (const clients of settings.clients ?? [256]) {
      yield await compareLengths(clients, settings);
      yield await runLong(clients, settings);
    }
  },
};
