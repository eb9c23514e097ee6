import { arch, platform, release, totalmem } from "node:os";
import type { Args } from "../gateway/op.js";
import type { Client } from "../client/client.js";
import type { ServerContext } from "../server/context.js";
import { REDIS_VERSION } from "./hello.js";
import type { LocalReply } from "./local-command.js";
import { bulk, word } from "./text.js";

type Fields = Readonly<Record<string, string | number>>;

/** The sections of INFO, in the order of Redis; `raft` is ours. */
const SECTIONS: Readonly<Record<string, (server: ServerContext) => Fields>> = {
  server: (server) => ({
    redis_version: REDIS_VERSION,
    redis_mode: "standalone",
    seshat_version: server.version,
    os: `${platform()} ${release()}`,
    arch: arch(),
    arch_bits: 64,
    multiplexing_api: "libuv",
    process_id: process.pid,
    run_id: String(server.node.raft.metrics().incarnation),
    tcp_port: server.self.clientAddr.slice(server.self.clientAddr.lastIndexOf(":") + 1),
    server_time_usec: server.now() * 1000,
    uptime_in_seconds: Math.floor((server.now() - server.startedMs) / 1000),
    uptime_in_days: Math.floor((server.now() - server.startedMs) / 86_400_000),
  }),
  clients: ({ clients, limits }) => ({
    connected_clients: clients.size,
    maxclients: limits.maxClients,
    blocked_clients: 0,
  }),
  memory: ({ machine }) => {
    const { rss, heapUsed } = process.memoryUsage();
    return {
      used_memory: machine.usedBytes,
      used_memory_human: human(machine.usedBytes),
      used_memory_rss: rss,
      used_memory_rss_human: human(rss),
      used_memory_heap: heapUsed,
      total_system_memory: totalmem(),
      total_system_memory_human: human(totalmem()),
      maxmemory: machine.config.maxMemoryBytes,
      maxmemory_human: human(machine.config.maxMemoryBytes),
      maxmemory_policy: "noeviction",
    };
  },
  persistence: ({ node }) => {
    const { snapshot, lastApplied } = node.raft.metrics();
    return {
      loading: 0,
      async_loading: 0,
      rdb_changes_since_last_save: lastApplied.index - snapshot.index,
      rdb_bgsave_in_progress: 0,
      rdb_last_bgsave_status: "ok",
      aof_enabled: 1,
      aof_rewrite_in_progress: 0,
      aof_last_bgrewrite_status: "ok",
      aof_last_write_status: "ok",
    };
  },
  stats: ({ stats, machine }) => ({
    total_connections_received: stats.connections,
    total_commands_processed: stats.commands,
    total_net_input_bytes: stats.inputBytes,
    total_net_output_bytes: stats.outputBytes,
    rejected_connections: stats.rejectedConnections,
    expired_keys: machine.expired,
    evicted_keys: 0,
    pubsub_channels: 0,
    pubsub_patterns: 0,
    total_error_replies: [...stats.errors.values()].reduce((sum, count) => sum + count, 0),
  }),
  replication: ({ node }) => {
    const { replication } = node.raft.metrics();
    return { role: node.raft.isLeader() ? "master" : "slave", connected_slaves: replication?.size ?? 0 };
  },
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return { used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) };
  },
  commandstats: ({ table }) =>
    Object.fromEntries(
      table.all
        .filter(({ calls }) => calls > 0)
        .map(({ spec, calls }) => [`cmdstat_${spec.name}`, `calls=${calls}`]),
    ),
  errorstats: ({ stats }) =>
    Object.fromEntries([...stats.errors].map(([code, count]) => [`errorstat_${code}`, `count=${count}`])),
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace: ({ machine }): Fields =>
    machine.size === 0 ? {} : { db0: `keys=${machine.size},expires=${machine.deadlines},avg_ttl=0` },
  raft: ({ node, clusterId }) => {
    const metrics = node.raft.metrics();
    return {
      raft_cluster_id: clusterId,
      raft_node_id: metrics.id,
      raft_state: metrics.state,
      raft_leader_id: metrics.currentLeader ?? 0,
      raft_term: metrics.term,
      raft_last_log_index: metrics.lastLogId.index,
      raft_commit_index: metrics.committed.index,
      raft_last_applied_index: metrics.lastApplied.index,
      raft_snapshot_index: metrics.snapshot.index,
      raft_voters: metrics.membership.membership.configs.map((ids) => ids.join(",")).join(" to "),
    };
  },
};

const TITLES: Readonly<Record<string, string>> = { cpu: "CPU" };
const NOT_BY_DEFAULT: ReadonlySet<string> = new Set(["commandstats"]);

/** INFO: the sections asked for, or those that matter every day. */
export function info(_client: Client, args: Args, server: ServerContext): LocalReply {
  const names = Object.keys(SECTIONS);
  const asked = new Set(args.slice(1).map((_, i) => word(args, i + 1)));
  const isAll = asked.has("all") || asked.has("everything");
  const isDefault = asked.size === 0 || asked.has("default");
  const chosen = names.filter((name) => isAll || asked.has(name) || (isDefault && !NOT_BY_DEFAULT.has(name)));
  const text = chosen.map((name) => {
    const fields = Object.entries(SECTIONS[name]?.(server) ?? {}).map(
      ([field, value]) => `${field}:${value}\r\n`,
    );
    const title = TITLES[name] ?? `${name[0]?.toUpperCase()}${name.slice(1)}`;
    return `# ${title}\r\n${fields.join("")}`;
  });
  return { type: "verbatim", format: "txt", text: bulk(text.join("\r\n")) };
}

function human(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "K", "M", "G"]) {
    if (value < 1024) return unit === "B" ? `${value}B` : `${value.toFixed(2)}${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(2)}T`;
}
