/** Seshat as a server: durable nodes that form a cluster over the network. */
export { pinoLogger } from "./node/pino-logger.js";
export type { LogThreshold } from "./node/pino-logger.js";
export { PRODUCT_RAFT_SETTINGS } from "./node/raft-settings.js";
export type { RaftSettings } from "./node/raft-settings.js";
export { startNode } from "./node/start-node.js";
export type { NodeOptions, RunningNode } from "./node/start-node.js";
export { SERVER_CODEC } from "./node/type-config.js";
export type { ServerNode, ServerTypeConfig } from "./node/type-config.js";
export { DEFAULT_CLIENT_LIMITS } from "./server/limits.js";
export type { ClientLimits } from "./server/limits.js";
export { startServer } from "./server/start-server.js";
export type { RunningServer, ServerOptions } from "./server/start-server.js";
