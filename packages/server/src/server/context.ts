import type { Logger } from "@seshat/common";
import type { CommandSpec, KvStateMachine } from "@seshat/kv";
import type { Clients } from "../client/clients.js";
import type { Outbox } from "../client/outbox.js";
import type { CommandTable } from "../commands/command-table.js";
import type { ConfigParameters } from "../commands/config-parameters.js";
import type { Gateway } from "../gateway/gateway.js";
import type { LocalReads } from "../gateway/local-reads.js";
import type { Args } from "../gateway/op.js";
import type { RunningNode } from "../node/start-node.js";
import type { ServerNode, ServerTypeConfig } from "../node/type-config.js";
import type { ClientLimits } from "./limits.js";
import type { Stats } from "./stats.js";

/** What the commands of clients work on: one server. */
export interface ServerContext {
  readonly node: RunningNode<ServerTypeConfig>;
  readonly machine: KvStateMachine;
  readonly gateway: Gateway;
  readonly table: CommandTable;
  readonly clients: Clients;
  readonly outbox: Outbox;
  readonly limits: ClientLimits;
  readonly parameters: ConfigParameters;
  readonly stats: Stats;
  readonly logger: Logger;
  /** Where this node is, as the others are told. */
  readonly self: ServerNode;
  readonly clusterId: string;
  readonly dir: string;
  /** How long an operation may take. */
  readonly commandTimeoutMs: number;
  readonly version: string;
  readonly startedMs: number;
  /** The clock of this machine, in milliseconds since 1970. */
  readonly now: () => number;
  /** Where the leader is, for a command whose client wants to be told; null when it is here. */
  redirection(spec: CommandSpec, args: Args): string | null;
  /** Reads of the state of this node as it is. */
  readonly localReads: LocalReads;
}
