/** Seshat as a server: durable nodes that form a cluster over the network. */
export { pinoLogger } from "./node/pino-logger.js";
export type { LogThreshold } from "./node/pino-logger.js";
export { PRODUCT_RAFT_SETTINGS } from "./node/raft-settings.js";
export type { RaftSettings } from "./node/raft-settings.js";
export { startNode } from "./node/start-node.js";
export type { NodeOptions, RunningNode } from "./node/start-node.js";
