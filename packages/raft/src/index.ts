/** Raft for Node.js: the consensus engine, its runtime and the doors to them. */
export { until } from "./condition.js";
export type { Condition } from "./condition.js";
export { DEFAULT_RAFT_CONFIG } from "./config.js";
export type { RaftConfig, SnapshotPolicy } from "./config.js";
export type {
  CallbackRaftNetwork,
  RaftNetwork,
  RaftNetworkFactory,
  RpcCaller,
} from "./network/raft-network.js";
export { StubNetwork } from "./network/stub-network.js";
export { Raft } from "./raft.js";
export type { RaftOptions, RaftTrigger } from "./raft.js";
export { RaftNode } from "./raft-node.js";
export type { RaftNodeOptions } from "./raft-node.js";
export type { EngineStep, EngineWatcher } from "./engine/engine.js";
export type { EngineSwitches, MembershipChange, ReadPolicy } from "./engine/event.js";
export type {
  AddLearnerOptions,
  ChangeMembershipOptions,
  InitializeOptions,
  RuntimeSwitches,
  TransferLeaderOptions,
} from "./membership-options.js";
export { recover } from "./recover.js";
export type { RecoverOptions, RecoveryReport } from "./recover.js";
export type { ChangeMembershipResponse } from "./runtime/callers.js";
export type { ClientWriteResponse } from "./runtime/clients.js";
export type { SnapshotProgress } from "./runtime/snapshot-sender.js";
export type { StageLatencies, StageLatency } from "./runtime/stage-latency.js";
export { systemRuntime } from "./runtime/clock.js";
export type { RaftMetrics, ReplicationMetrics } from "./runtime/metrics.js";
export type { OpenSessionOptions, ReadOptions, SessionWriteOptions, WriteOptions } from "./write-options.js";
