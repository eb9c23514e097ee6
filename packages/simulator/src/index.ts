/** Finds out whether a system did what it promised: a cluster under faults on virtual time, and a checker for what its clients saw. */
export type { Disk, DiskVerb, OpenFile } from "./disk/disk.js";
export { DiskError } from "./disk/disk-error.js";
export type { DiskErrorCode } from "./disk/disk-error.js";
export { SimDisk } from "./disk/sim-disk.js";
export type { Corruption, SimDiskParts } from "./disk/sim-disk.js";
export { NO_DISK_FAULTS } from "./disk/sim-disk-faults.js";
export type { DiskFault, DiskFaultCounts, SimDiskFaults } from "./disk/sim-disk-faults.js";
export type { Act, Action, OperatorAct, PartitionKind, Target } from "./faults/act.js";
export { FEATURES } from "./faults/features.js";
export type { Feature } from "./faults/features.js";
export { makePlan } from "./faults/plan.js";
export type { Plan, PlanOptions } from "./faults/plan.js";
export { checkLinearizability } from "./linearizability/check-linearizability.js";
export type {
  LinearizabilityOptions,
  LinearizabilityResult,
  LinearizableResult,
  NotLinearizableResult,
  UndecidedResult,
} from "./linearizability/check-linearizability.js";
export { HistoryRecorder } from "./linearizability/history-recorder.js";
export type { HistoryRecorderOptions, OpenOperation } from "./linearizability/history-recorder.js";
export type { IllegalPart, PartOperation } from "./linearizability/illegal-part.js";
export { ILLEGAL, UNKNOWN_OUTPUT, stateMachineModel } from "./linearizability/model.js";
export type { Applied, Effect, Model, StateMachineModel } from "./linearizability/model.js";
export { counterModel } from "./linearizability/models/counter.js";
export type { CounterInput, CounterOutput } from "./linearizability/models/counter.js";
export {
  INCREMENT_OVERFLOWS,
  NOT_AN_INTEGER,
  redisStringModel,
} from "./linearizability/models/redis-string.js";
export type { RedisStringInput, RedisStringReply } from "./linearizability/models/redis-string.js";
export { registerModel } from "./linearizability/models/register.js";
export type { RegisterInput, RegisterOutput, RegisterValue } from "./linearizability/models/register.js";
export { setModel } from "./linearizability/models/set.js";
export type { SetInput, SetOutput } from "./linearizability/models/set.js";
export type {
  CompletedOperation,
  FailedOperation,
  History,
  Operation,
  UnknownOperation,
} from "./linearizability/operation.js";
export { parseRedisHistory } from "./linearizability/parse-redis-history.js";
export { linearizabilityReport } from "./linearizability/report.js";
export { linearizabilityTimeline } from "./linearizability/timeline.js";
export { minimize } from "./minimize.js";
export type { RaftPeer, SystemTransport } from "./network/system-transport.js";
export { Violation } from "./oracle/violation.js";
export { runSeeds } from "./run-seeds.js";
export type { SeedsOptions, SeedsReport } from "./run-seeds.js";
export { SimulationError } from "./simulation-error.js";
export { simulate } from "./simulation.js";
export type { RunOptions, SimulationOptions, SimulationResult } from "./simulation.js";
export { jsonCodec } from "./storage/codec.js";
export type { ByteCodec, StoreCodec } from "./storage/codec.js";
export { DamagedFileError } from "./storage/damaged-file-error.js";
export { openSimStorage } from "./storage/open-sim-storage.js";
export type { SimStorage, SimStorageOptions } from "./storage/open-sim-storage.js";
export { SimNodeStore } from "./storage/sim-node-store.js";
export type { SimNodeStoreParts } from "./storage/sim-node-store.js";
export type { CrashKind, DiskTrouble, NodeStore, OpenedStorage, StorePart } from "./world/node-storage.js";
export type { AttemptTags, Seen, System, SystemClient, SystemStore } from "./system.js";
export { SimMachine } from "./workload/sim-machine.js";
export type { SimCommand, SimReply } from "./workload/sim-machine.js";
export { simModel } from "./workload/sim-model.js";
export type { SimInput, SimOutput } from "./workload/sim-model.js";
export { simSystem } from "./workload/sim-system.js";
export type { SimTypes } from "./workload/sim-types.js";
