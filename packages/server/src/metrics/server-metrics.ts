import type { RaftMetrics } from "@seshat/raft";
import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
import type { ServerNode } from "../node/type-config.js";
import type { ServerContext } from "../server/context.js";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number, labels?: Labels];

/** Everything that is known of a server, in the words of Prometheus; read when somebody asks, and kept ready for nobody. */
export function serverMetrics(server: ServerContext): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { stats, clients, machine, table, node } = server;
  const gauge = (
    name: string,
    help: string,
    read: () => readonly Sample[],
    labelNames: string[] = [],
  ): void => {
    const metric: Gauge = new Gauge({
      name: `seshat_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect: () => {
        metric.reset();
        for (const [value, labels = {}] of read()) metric.set(labels, value);
      },
    });
  };
  const counter = (
    name: string,
    help: string,
    read: () => readonly Sample[],
    labelNames: string[] = [],
  ): void => {
    const metric: Counter = new Counter({
      name: `seshat_${name}_total`,
      help,
      labelNames,
      registers: [registry],
      collect: () => {
        metric.reset();
        for (const [value, labels = {}] of read()) metric.inc(labels, value);
      },
    });
  };
  const raft = (read: (metrics: RaftMetrics<ServerNode>) => number | null) => (): readonly Sample[] => {
    const value = read(node.raft.metrics());
    return value === null ? [] : [[value]];
  };

  counter(
    "commands",
    "Commands that were begun, by name",
    () =>
      table.all.filter(({ calls }) => calls > 0).map(({ spec, calls }) => [calls, { command: spec.name }]),
    ["command"],
  );
  counter(
    "errors",
    "Error replies, by code",
    () => [...stats.errors].map(([code, count]) => [count, { code }]),
    ["code"],
  );
  gauge("clients", "Clients that are connected", () => [[clients.size]]);
  counter("clients_accepted", "Clients that were accepted", () => [[stats.connections]]);
  counter("clients_rejected", "Clients that were refused", () => [[stats.rejectedConnections]]);
  counter("input_bytes", "Bytes read from clients", () => [[stats.inputBytes]]);
  counter("output_bytes", "Bytes written to clients", () => [[stats.outputBytes]]);
  gauge(
    "lane_bytes",
    "Operations that wait for an answer, in bytes",
    () => [
      [server.gateway.writes.waitingBytes, { lane: "writes" }],
      [server.gateway.reads.waitingBytes, { lane: "reads" }],
    ],
    ["lane"],
  );
  gauge("keys", "Keys in the state machine", () => [[machine.size]]);
  gauge("keys_with_deadline", "Keys that will expire", () => [[machine.deadlines]]);
  gauge("used_bytes", "What the data counts against maxmemory", () => [[machine.usedBytes]]);
  counter("expired_keys", "Keys that have expired on this node", () => [[machine.expired]]);

  gauge(
    "raft_leader",
    "1 while this node believes that it leads",
    raft(({ id, currentLeader }) => Number(id === currentLeader)),
  );
  gauge(
    "raft_leader_known",
    "1 while this node knows of a leader",
    raft(({ currentLeader }) => Number(currentLeader !== null)),
  );
  gauge(
    "raft_term",
    "The term",
    raft(({ term }) => term),
  );
  counter(
    "raft_refused_terms",
    "Messages refused because their term was too far beyond that of this node to be believed",
    raft(({ refusedTerms }) => refusedTerms),
  );
  gauge(
    "raft_last_log_index",
    "The last entry of the log",
    raft(({ lastLogId }) => lastLogId.index),
  );
  gauge(
    "raft_commit_index",
    "The last entry known to be committed",
    raft(({ committed }) => committed.index),
  );
  gauge(
    "raft_applied_index",
    "The last entry applied",
    raft(({ lastApplied }) => lastApplied.index),
  );
  gauge(
    "raft_snapshot_index",
    "The last entry in the newest snapshot",
    raft(({ snapshot }) => snapshot.index),
  );
  gauge(
    "raft_purged_index",
    "The last entry purged from the log",
    raft(({ purged }) => purged.index),
  );
  gauge(
    "raft_members",
    "Members of the cluster",
    raft(({ membership }) => membership.membership.nodes.size),
  );
  gauge(
    "raft_storage_stalled",
    "1 while storage does not answer",
    raft(({ storageStalled }) => Number(storageStalled !== null)),
  );
  gauge(
    "raft_snapshot_stalled",
    "1 while the building, receiving or installing of a snapshot does not get on",
    raft(({ snapshotStalled }) => Number(snapshotStalled !== null)),
  );
  gauge(
    "raft_quorum_age_seconds",
    "On the leader: how long ago a majority was heard from",
    raft(({ sinceQuorumAckMs }) => (sinceQuorumAckMs === null ? null : sinceQuorumAckMs / 1000)),
  );
  gauge(
    "raft_follower_lag",
    "On the leader: entries that a follower is not known to have",
    () => [...(node.raft.metrics().replication ?? [])].map(([id, { lag }]) => [lag, { node: String(id) }]),
    ["node"],
  );
  return registry;
}
