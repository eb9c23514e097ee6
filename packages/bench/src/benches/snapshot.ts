import type { BytesTypeConfig, Request } from "@seshat/common";
import { KeyValueStateMachine, encodeOperation } from "@seshat/storage";
import type { Bench } from "../bench.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import { memStorage } from "../cluster/mem-storage.js";
import { VerificationError } from "../cluster/tally.js";
import type { Round } from "../load/closed-loop.js";
import { runClosedLoop } from "../load/closed-loop.js";
import { count, micros, ratio, text } from "../statistics/cells.js";
import { ratios, rounded, roundFigures } from "../statistics/figures.js";
import { median, summarize } from "../statistics/summary.js";

const KEYS = 1_000_000;
const FILL_CLIENTS = 1024;
const VALUE_BYTES = 16;

/** Writes every key once, and then again in the same order. */
function makeWriter(keys: number): () => Request {
  const value = new Uint8Array(VALUE_BYTES);
  let next = 0;
  return () => {
    const key = new Uint8Array(8);
    new DataView(key.buffer).setFloat64(0, next);
    next = (next + 1) % keys;
    return { data: encodeOperation({ type: "set", key, value }) };
  };
}

/** What a leader that takes a snapshot has left for its clients. */
export const snapshot: Bench = {
  name: "snapshot",
  about: "writes/s and p99 on a leader while it takes a snapshot of 1,000,000 keys, against those before it",
  keys: ["keys", "clients"],
  compared: ["putsDuring", "ratio", "p99Ratio"],
  columns: [
    count("keys", "keys"),
    text("clients", "clients"),
    count("puts/s before", "putsBefore"),
    count("during", "putsDuring"),
    ratio("during : before", "ratio"),
    micros("p99 us before", "p99BeforeUs"),
    micros("during", "p99DuringUs"),
    ratio("during : before", "p99Ratio"),
    micros("snapshot ms", "snapshotMs"),
    count("its bytes", "snapshotBytes"),
  ],
  async *run(settings) {
    const keys = Math.ceil(KEYS * settings.scale);
    for (const clients of settings.clients ?? [64]) {
      const machines: KeyValueStateMachine[] = [];
      const storages: ReturnType<typeof memStorage>[] = [];
      await using cluster = await BenchCluster.start<BytesTypeConfig>({
        nodes: 3,
        makeStorage: () => {
          const machine = new KeyValueStateMachine();
          machines.push(machine);
          const storage = memStorage(machine);
          storages.push(storage);
          return storage;
        },
        config: { snapshotPolicy: { type: "never" } },
      });
      const command = makeWriter(keys);
      settings.progress(`filling ${keys} keys`);
      await runClosedLoop(cluster.writers(FILL_CLIENTS, command), {
        seconds: Number.POSITIVE_INFINITY,
        operations: keys,
      });
      const loop = cluster.writers(clients, command);
      const length = { seconds: settings.seconds };
      await runClosedLoop(loop, length);
      const before: Round[] = [];
      const during: Round[] = [];
      const tookMs: number[] = [];
      for (let round = 1; round <= settings.rounds; round += 1) {
        settings.progress(`${clients} clients, round ${round} of ${settings.rounds}`);
        before.push(await runClosedLoop(loop, length));
        const startedAt = performance.now();
        const taken = cluster.leader.trigger.snapshot();
        during.push(await runClosedLoop(loop, { seconds: Number.POSITIVE_INFINITY, until: taken }));
        await taken;
        tookMs.push(performance.now() - startedAt);
      }
      const verified = await cluster.verify();
      const bytes = storages[0]?.storage.snapshot?.data.size ?? 0;
      if (bytes < keys * (8 + VALUE_BYTES)) throw new VerificationError(`the snapshot has ${bytes} bytes`);
      for (const { size } of machines)
        if (size !== keys) throw new VerificationError(`a node has ${size} keys of ${keys}`);
      const [calm, busy] = [roundFigures(before), roundFigures(during)];
      yield {
        bench: "snapshot",
        nodes: 3,
        keys,
        clients,
        putsBefore: calm.perSec,
        putsDuring: busy.perSec,
        ratio: rounded(summarize(ratios(during, before, ({ perSecond }) => perSecond)).median),
        p99BeforeUs: calm.p99Us,
        p99DuringUs: busy.p99Us,
        p99Ratio: rounded(summarize(ratios(during, before, ({ p99Us }) => p99Us)).median),
        snapshotMs: rounded(median(tookMs)),
        snapshotBytes: bytes,
        rounds: settings.rounds,
        ...verified,
      };
    }
  },
};
