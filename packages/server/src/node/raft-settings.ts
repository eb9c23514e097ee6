import type { RaftConfig } from "@seshat/raft";

/** The settings of Raft that may be chosen for a node; the cluster is named apart. */
export type RaftSettings = Partial<Omit<RaftConfig, "clusterId">>;

/** What a node of the product runs with: timeouts for real networks and disks, snapshots by entries and by bytes. */
export const PRODUCT_RAFT_SETTINGS: RaftSettings = Object.freeze({
  heartbeatIntervalMs: 100,
  electionTimeoutMinMs: 500,
  electionTimeoutMaxMs: 1000,
  backoffMaxMs: 200,
  // A disk that others use too takes a second for a sync now and then: to step down for it costs the clients more than to wait.
  storageStallMs: 3000,
  snapshotPolicy: Object.freeze({ type: "logsSinceLast", entries: 10_000, bytes: 100 * 1024 * 1024 }),
});
