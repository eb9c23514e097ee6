import { readFileSync } from "node:fs";
import type { Logger, NodeId } from "@seshat/common";
import { NotLeaderError, silentLogger } from "@seshat/common";
import { KV_COMMANDS, KvStateMachine } from "@seshat/kv";
import type { GrpcConfigOptions, TlsOptions } from "@seshat/transport-grpc";
import { DEFAULT_GRPC_CONFIG, grpcForwarder } from "@seshat/transport-grpc";
import { Clients } from "../client/clients.js";
import { listenClients } from "../client/listen-clients.js";
import { Outbox } from "../client/outbox.js";
import { formatAddress } from "../cluster/host-and-port.js";
import { redirection } from "../cluster/redirection.js";
import { CommandTable } from "../commands/command-table.js";
import { ConfigParameters } from "../commands/config-parameters.js";
import { LOCAL_COMMANDS } from "../commands/local-commands.js";
import { LeaderLink } from "../forward/leader-link.js";
import { carefulRead } from "../gateway/careful-read.js";
import { Gateway } from "../gateway/gateway.js";
import { LeaderClock } from "../gateway/leader-clock.js";
import { LocalReads } from "../gateway/local-reads.js";
import type { RaftSettings } from "../node/raft-settings.js";
import type { RunningNode } from "../node/start-node.js";
import { startNode } from "../node/start-node.js";
import type { ServerTypeConfig } from "../node/type-config.js";
import { SERVER_CODEC } from "../node/type-config.js";
import { farewell, foundAlone, takeOffice } from "./begin-and-end.js";
import type { ServerContext } from "./context.js";
import { Expiry } from "./expiry.js";
import { IdleClients } from "./idle-clients.js";
import type { ClientLimits } from "./limits.js";
import { DEFAULT_CLIENT_LIMITS } from "./limits.js";
import { Stats } from "./stats.js";

/** One server of a cluster. */
export interface ServerOptions {
  /** Names this node for ever. Default 1. */
  readonly id?: NodeId;
  /** Names the cluster, the same on all its nodes. Default `"seshat"`. */
  readonly clusterId?: string;
  /** The directory of its data; it is made where it is missing. */
  readonly dir: string;
  /** Where to listen for clients. Port 0 takes any that is free. Default 127.0.0.1:6379. */
  readonly host?: string;
  readonly port?: number;
  /** Where to listen for peers, as `host:port`. Default: the same host, at `port` + 10000. */
  readonly peerAddress?: string;
  /** Where others find this node, when that is not where it listens: `host:port`. */
  readonly advertise?: { readonly peers?: string; readonly clients?: string };
  /**
   * What a node does that belongs to no cluster yet. `alone`: it founds one of its own. `wait`: until it is told to found one, or is made a member of one.
   * Default `alone`.
   */
  readonly whenNew?: "alone" | "wait";
  /** How long a command may take, in milliseconds. Default 5000. */
  readonly commandTimeoutMs?: number;
  readonly limits?: Partial<ClientLimits>;
  readonly tls?: TlsOptions;
  readonly raft?: RaftSettings;
  readonly grpc?: GrpcConfigOptions;
  /** Told to end while it starts, a node that is alone waits no longer until it leads; it is there all the same, and is to be closed. Default: none. */
  readonly signal?: AbortSignal;
  /** Default: silent. */
  readonly logger?: Logger;
  /** The clock of the machine, in milliseconds since 1970; for tests. */
  readonly wallMs?: () => number;
}

/** A server that runs. */
export interface RunningServer extends AsyncDisposable {
  readonly node: RunningNode<ServerTypeConfig>;
  readonly machine: KvStateMachine;
  /** Where clients connect: `host:port`. */
  readonly address: string;
  readonly context: ServerContext;
  /** Accepts no more clients, hands the leadership over, answers what is under way, and lets go of ports and store. */
  close(): Promise<void>;
}

const DEFAULT_PORT = 6379;
const PEER_PORT_OFFSET = 10_000;
const DEFAULT_COMMAND_TIMEOUT_MS = 5000;

/**
 * Starts a server: a node, and what Redis clients connect to.
 *
 * @throws as {@link startNode}.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { dir, host = "127.0.0.1", port = DEFAULT_PORT, logger = silentLogger, tls, grpc } = options;
  const id = options.id ?? 1;
  const clusterId = options.clusterId ?? "seshat";
  const wallMs = options.wallMs ?? Date.now;
  const machine = new KvStateMachine();
  const both = { ...(tls && { tls }), ...(grpc && { config: grpc }) };
  // Peers may ask before everything is there.
  let gateway: Gateway | null = null;
  const node = await startNode<ServerTypeConfig>({
    id,
    clusterId,
    dir,
    address: options.peerAddress ?? formatAddress(host, port === 0 ? 0 : port + PEER_PORT_OFFSET),
    stateMachine: machine,
    codec: SERVER_CODEC,
    logger,
    ...(tls && { tls }),
    ...(grpc && { grpc }),
    ...(options.raft && { raft: options.raft }),
    forwarding: (payload) => {
      if (gateway === null) throw new NotLeaderError(null, null);
      return gateway.serve(payload);
    },
  });
  const closers: (() => Promise<void> | void)[] = [() => node.close()];
  try {
    const outbox = new Outbox();
    const { raft } = node;
    const timeoutMs = options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
    const link = new LeaderLink(grpcForwarder({ clusterId, nodeId: id, logger, ...both }), timeoutMs);
    const clock = new LeaderClock(wallMs, () => machine.clockMs);
    const read = carefulRead(machine, logger);
    const localReads = new LocalReads(machine, read);
    const made = new Gateway({
      raft,
      machine,
      read,
      clock,
      link,
      addressOf: (other) => raft.metrics().membership.membership.nodes.get(other)?.addr ?? null,
      timeoutMs,
      maxMessageBytes: grpc?.maxMessageBytes ?? DEFAULT_GRPC_CONFIG.maxMessageBytes,
      delivered: () => outbox.flushSoon(),
    });
    gateway = made;
    closers.push(
      () => made.close(),
      () => localReads.close(),
    );
    const limits: ClientLimits = { ...DEFAULT_CLIENT_LIMITS, ...options.limits };
    let context: ServerContext | null = null;
    const listener = await listenClients(host, port, (address) => {
      const self = {
        addr: options.advertise?.peers ?? node.address,
        clientAddr: options.advertise?.clients ?? address,
      };
      context = {
        node,
        machine,
        gateway: made,
        table: new CommandTable(KV_COMMANDS, LOCAL_COMMANDS),
        clients: new Clients(),
        outbox,
        limits,
        parameters: new ConfigParameters({
          limits,
          kvConfig: () => machine.config,
          fixed: fixedParameters(self.clientAddr, host, dir),
        }),
        stats: new Stats(),
        logger,
        self,
        clusterId,
        commandTimeoutMs: timeoutMs,
        dir,
        version: readVersion(),
        startedMs: wallMs(),
        now: wallMs,
        redirection: (spec, args) => redirection(raft, spec, args),
        localReads,
      };
      return context;
    });
    const server = context as unknown as ServerContext;
    closers.push(() => listener.close());
    const expiry = new Expiry({ raft, machine, clock, tick: () => made.tick() });
    const idle = new IdleClients(server);
    closers.push(
      () => expiry.stop(),
      () => idle.stop(),
      () => farewell(listener, server),
    );
    if ((options.whenNew ?? "alone") === "alone") await foundAlone(server);
    await takeOffice(server, options.signal);
    logger.log("info", "server.started", { node: id, address: listener.address });
    let closing: Promise<void> | null = null;
    const close = (): Promise<void> => (closing ??= closeAll(closers));
    return { node, machine, address: listener.address, context: server, close, [Symbol.asyncDispose]: close };
  } catch (thrown) {
    await closeAll(closers).catch(() => {});
    throw thrown;
  }
}

function fixedParameters(clientAddr: string, host: string, dir: string): Record<string, string> {
  return {
    save: "",
    appendonly: "yes",
    appendfsync: "always",
    databases: "1",
    "maxmemory-policy": "noeviction",
    "proto-max-bulk-len": String(DEFAULT_CLIENT_LIMITS.maxBulkBytes),
    bind: host,
    port: clientAddr.slice(clientAddr.lastIndexOf(":") + 1),
    dir,
    "cluster-enabled": "no",
  };
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** @throws the first error, once all were called, the last first. */
async function closeAll(closers: (() => Promise<void> | void)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
