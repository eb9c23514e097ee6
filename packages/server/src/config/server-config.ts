import { readFileSync } from "node:fs";
import { InvalidValueError } from "@seshat/common";
import { formatAddress } from "../cluster/host-and-port.js";
import type { RaftSettings } from "../node/raft-settings.js";
import { PRODUCT_RAFT_SETTINGS } from "../node/raft-settings.js";
import type { LogThreshold } from "../node/pino-logger.js";
import type { ServerNode } from "../node/type-config.js";
import type { ServerOptions } from "../server/start-server.js";
import type { ConfigFile } from "./config-file.js";

/** What a server is started with, and what the program around it does. */
export interface ServerConfig {
  readonly server: Omit<ServerOptions, "logger">;
  readonly logLevel: LogThreshold;
  /** Where metrics and health are served, as `host:port`; null for nowhere. */
  readonly metrics: string | null;
}

const DEFAULT_DIR = "./seshat-data";
const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 6379;
const PEER_PORT_OFFSET = 10_000;

/**
 * Turns a configuration into options: fills in defaults, and reads the files that it names.
 *
 * @throws {InvalidValueError} that names the field.
 */
export function serverConfig(file: ConfigFile): ServerConfig {
  const { node = {}, clients = {}, peers = {}, tls } = file;
  const raft = raftSettings(file.raft);
  const port = clients.port ?? DEFAULT_PORT;
  if (peers.listen === undefined && port + PEER_PORT_OFFSET > 65_535) {
    throw new InvalidValueError(
      "peers.listen",
      peers.listen,
      `given: ${PEER_PORT_OFFSET} more than the port of clients, ${port}, is no port`,
    );
  }
  const password = passwordOf(clients);
  const advertise = {
    ...(peers.advertise !== undefined && { peers: peers.advertise }),
    ...(clients.advertise !== undefined && { clients: clients.advertise }),
  };
  const limits = {
    ...(password !== null && { password }),
    ...(clients["max-clients"] !== undefined && { maxClients: clients["max-clients"] }),
    ...(clients["idle-seconds"] !== undefined && { idleSeconds: clients["idle-seconds"] }),
    ...(clients["max-output-bytes"] !== undefined && { maxOutputBytes: clients["max-output-bytes"] }),
  };
  return {
    server: {
      id: node.id ?? 1,
      clusterId: node.cluster ?? "seshat",
      dir: node.dir ?? DEFAULT_DIR,
      whenNew: node["when-new"] ?? "alone",
      host: clients.host ?? DEFAULT_HOST,
      port,
      advertise,
      limits,
      ...(peers.listen !== undefined && { peerAddress: peers.listen }),
      ...(clients["command-timeout-ms"] !== undefined && { commandTimeoutMs: clients["command-timeout-ms"] }),
      ...(raft && { raft }),
      ...(tls && {
        tls: {
          ca: pem("tls.ca", tls.ca),
          cert: pem("tls.cert", tls.cert),
          key: pem("tls.key", tls.key),
        },
      }),
    },
    logLevel: file.log?.level ?? "info",
    metrics: file.metrics?.listen ?? null,
  };
}

function raftSettings(raft: ConfigFile["raft"]): RaftSettings | null {
  if (raft === undefined) return null;
  const entries = raft["snapshot-entries"];
  const bytes = raft["snapshot-bytes"];
  const policy = {
    ...PRODUCT_RAFT_SETTINGS.snapshotPolicy,
    ...(entries && { entries }),
    ...(bytes && { bytes }),
  };
  return {
    ...(raft["heartbeat-ms"] !== undefined && { heartbeatIntervalMs: raft["heartbeat-ms"] }),
    ...(raft["election-min-ms"] !== undefined && { electionTimeoutMinMs: raft["election-min-ms"] }),
    ...(raft["election-max-ms"] !== undefined && { electionTimeoutMaxMs: raft["election-max-ms"] }),
    ...(raft["keep-entries"] !== undefined && { maxInSnapshotLogToKeep: raft["keep-entries"] }),
    snapshotPolicy: policy as NonNullable<RaftSettings["snapshotPolicy"]>,
  };
}

function passwordOf(clients: NonNullable<ConfigFile["clients"]>): string | null {
  const path = clients["password-file"];
  if (path === undefined) return clients.password ?? null;
  if (clients.password !== undefined)
    throw new InvalidValueError("clients.password-file", path, "left out where clients.password is given");
  return read("clients.password-file", path).toString("utf8").trim();
}

function pem(field: string, path: string): Uint8Array {
  return read(field, path);
}

function read(field: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InvalidValueError(field, path, `a file that can be read: ${(error as Error).message}`);
  }
}

/** Where others find the node that is started so. */
export function addressesOf({ server }: ServerConfig): ServerNode {
  const { host = DEFAULT_HOST, port = DEFAULT_PORT, peerAddress, advertise } = server;
  return {
    addr: advertise?.peers ?? peerAddress ?? formatAddress(host, port + PEER_PORT_OFFSET),
    clientAddr: advertise?.clients ?? formatAddress(host, port),
  };
}
