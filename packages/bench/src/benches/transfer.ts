import type { Bench, BenchResult, BenchSettings } from "../bench.js";
import type { NodeKind } from "../cluster/node-messages.js";
import { ProcessCluster } from "../cluster/process-cluster.js";
import { VerificationError } from "../cluster/tally.js";
import { count, micros, ratio, text } from "../statistics/cells.js";
import { rounded } from "../statistics/figures.js";

const KEYS = 1_000_000;
const FILL_CLIENTS = 1024;
const MIB = 1024 * 1024;
/** Longer than any transfer: it is stopped when that is over. */
const LONG_SECONDS = 3600;

/** A snapshot of a large state goes to an empty follower while clients write. */
async function measure(
  kind: Extract<NodeKind, "keys" | "keysOnDisk">,
  clients: number,
  settings: BenchSettings,
): Promise<BenchResult> {
  const { seconds, scale, progress } = settings;
  const keys = Math.ceil(KEYS * scale);
  await using cluster = await ProcessCluster.start(kind);
  const { leader } = cluster;
  const [, peer] = cluster.nodes;
  if (peer === undefined) throw new VerificationError("there is no follower");
  progress(`${kind}, filling ${keys} keys`);
  await leader.round({ clients: FILL_CLIENTS, seconds: LONG_SECONDS, operations: keys, keys });
  progress(`${kind}, ${clients} clients, before`);
  await leader.tell("snapshot");
  // What the snapshot left to do, as to remove the log behind it, is done by then.
  await leader.round({ clients, seconds, operations: null, keys });
  const before = await leader.round({ clients, seconds: 2 * seconds, operations: null, keys });
  const follower = await cluster.another(4);
  for (const node of [leader, peer, follower]) await node.tell("watchMemory");
  progress(`${kind}, ${clients} clients, during`);
  const writing = leader.round({ clients, seconds: LONG_SECONDS, operations: null, keys });
  const startedAt = performance.now();
  await leader.addLearner(follower);
  const tookMs = performance.now() - startedAt;
  await leader.tell("stop");
  const during = await writing;
  const [sender, receiver, same] = await Promise.all([leader, follower, peer].map((node) => node.memory()));
  if (sender === undefined || receiver === undefined || same === undefined)
    throw new VerificationError("no memory");
  const { lastIndex } = await leader.verify(null, keys);
  for (const node of [...cluster.nodes, follower]) {
    const { missing, snapshotIndex } = await node.verify(lastIndex, keys);
    if (missing > 0)
      throw new VerificationError(`node ${node.id} lacks ${missing} of the keys that were looked for`);
    if (node === follower && snapshotIndex === 0)
      throw new VerificationError("the follower was sent entries and no snapshot");
  }
  // Where the state is in memory, the receiver takes that of any follower that has it.
  const ownState = kind === "keys" ? Math.max(receiver.baseline, same.baseline) : receiver.baseline;
  return {
    bench: "transfer",
    kind,
    keys,
    clients,
    putsBefore: Math.round(before.perSecond),
    putsDuring: Math.round(during.perSecond),
    ratio: rounded(during.perSecond / before.perSecond),
    p99BeforeUs: rounded(before.p99Us),
    p99DuringUs: rounded(during.p99Us),
    transferMs: Math.round(tookMs),
    senderMiB: Math.round((sender.peak - sender.baseline) / MIB),
    receiverMiB: Math.round((receiver.peak - ownState) / MIB),
    senderBaselineMiB: Math.round(sender.baseline / MIB),
    receiverBaselineMiB: Math.round(ownState / MIB),
    verified: true,
  };
}

/** What a follower that has nothing costs the others. */
export const transfer: Bench = {
  name: "transfer",
  about: "a snapshot of 1,000,000 keys of 100 B to an empty process over gRPC: writes/s and memory meanwhile",
  notes: [
    "All four processes share the processors and the disk, so what the new follower takes to install the snapshot is taken from the leader's writes as well; the goals are writes of at least half, a p99 of at",
    "most three times as long, and at most 200 MiB more at both ends. The sender rests between the parts while clients write, so it takes longer than it could. What keeps the writes down is the processor that the installation takes, and most of all what it takes to catch up with what was written meanwhile. What grows at the receiver, where the state is on disk, is what malloc keeps of RocksDB's memtables, and V8's young generation. All processes run with the V8 settings of `seshat` ([ADR 70](../adr/0070-what-a-receiver-holds.md)).",
  ],
  keys: ["kind", "clients"],
  compared: ["putsDuring", "ratio", "transferMs", "senderMiB", "receiverMiB"],
  columns: [
    text("state", "kind"),
    count("keys", "keys"),
    text("clients", "clients"),
    count("puts/s before", "putsBefore"),
    count("during", "putsDuring"),
    ratio("during : before", "ratio"),
    micros("p99 us before", "p99BeforeUs"),
    micros("during", "p99DuringUs"),
    count("ms", "transferMs"),
    text("sender MiB more", "senderMiB"),
    text("than", "senderBaselineMiB"),
    text("receiver MiB more", "receiverMiB"),
    text("than", "receiverBaselineMiB"),
  ],
  async *run(settings) {
    for (const kind of ["keys", "keysOnDisk"] as const) {
      for (const clients of settings.clients ?? [64]) yield await measure(kind, clients, settings);
    }
  },
};
