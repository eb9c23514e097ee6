import type { Command } from "commander";
import type { ConfigFile } from "../config/config-file.js";
import { checkConfig, readConfigFile } from "../config/config-file.js";
import type { ServerConfig } from "../config/server-config.js";
import { serverConfig } from "../config/server-config.js";
import { wholeNumber } from "./target-options.js";

/** What the flags of `start` say: each stands over a field of the file. */
export interface StartFlags {
  readonly config?: string;
  readonly dir?: string;
  readonly host?: string;
  readonly port?: number;
  readonly id?: number;
  readonly cluster?: string;
  readonly peers?: string;
  readonly password?: string;
  readonly metrics?: string;
  readonly logLevel?: string;
  readonly wait?: boolean;
}

export function addStartOptions(command: Command): Command {
  return command
    .option("-c, --config <file>", "a configuration in TOML; flags stand over what it says")
    .option("--dir <folder>", "where the data is kept", undefined)
    .option("--host <host>", "where to listen for clients (127.0.0.1)")
    .option("--port <port>", "its port; 0 takes any that is free (6379)", wholeNumber)
    .option("--id <id>", "the number of this node, for ever (1)", wholeNumber)
    .option("--cluster <name>", "the name of the cluster, the same on all its nodes (seshat)")
    .option(
      "--peers <host:port>",
      "where to listen for other nodes (the host of clients, their port + 10000)",
    )
    .option("--password <password>", "what clients must give; better in a file: clients.password-file")
    .option("--metrics <host:port>", "where to serve metrics and health (nowhere)")
    .option("--log-level <level>", "trace, debug, info, warn, error or silent (info)")
    .option("--wait", "a new node does not found a cluster: it waits for bootstrap, or to be joined to one");
}

/**
 * The configuration that a file and flags come to.
 *
 * @throws {InvalidValueError} that names the field.
 */
export function configOf(flags: StartFlags): ServerConfig {
  const file = flags.config === undefined ? {} : readConfigFile(flags.config);
  return serverConfig(checkConfig(withFlags(file, flags)));
}

function withFlags(file: ConfigFile, flags: StartFlags): unknown {
  const { node, clients, peers, metrics, log } = file;
  return {
    ...file,
    node: {
      ...node,
      ...given({ id: flags.id, cluster: flags.cluster, dir: flags.dir }),
      ...(flags.wait === true && { "when-new": "wait" }),
    },
    clients: { ...clients, ...given({ host: flags.host, port: flags.port, password: flags.password }) },
    peers: { ...peers, ...given({ listen: flags.peers }) },
    metrics: { ...metrics, ...given({ listen: flags.metrics }) },
    log: { ...log, ...given({ level: flags.logLevel }) },
  };
}

function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
