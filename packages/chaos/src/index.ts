/** What other programs that run real servers and hurt them share with this one. */
export { ChaosFailure } from "./check/chaos-failure.js";
export { checkCopies, readAll } from "./check/check-copies.js";
export type { RedisHistory } from "./check/check-history.js";
export { checkHistory } from "./check/check-history.js";
export { beginRun } from "./cli/begin-run.js";
export { CLEAR_LINE, progressLine } from "./cli/progress.js";
export type { CliIo } from "./cli/run-cli.js";
export { INTERRUPTED, runCli } from "./cli/run-cli.js";
export { oneOf, whole } from "./cli/values.js";
export { Load } from "./client/load.js";
export type { ClientOperation } from "./client/operations.js";
export { Cluster, PATIENCE_MS } from "./cluster/cluster.js";
export { retry, sleep } from "./cluster/sleep.js";
export { openNetwork } from "./network/open-network.js";
export { plantModule } from "./plants/plants.js";
export { moreAcknowledged } from "./scenario/steps.js";
