import type { SeededRandom } from "@seshat/raft/testing";
import type { RedisHistory } from "../check/check-history.js";
import type { Load } from "../client/load.js";
import type { Cluster } from "../cluster/cluster.js";

/** What a scenario works on: a cluster under load. */
export interface Scene {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly random: SeededRandom;
  readonly recorder: RedisHistory;
  /** Begins the names of keys that are the scenario's own. */
  readonly prefix: string;
  /** How long each new leader took, in milliseconds, from what made the old one go. */
  readonly leaderMs: number[];
  /** What was drawn, for the table. */
  note(text: string): void;
}

/** What happens to a cluster. Afterwards all is mended and started again, and it is checked that clients were told the truth. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** Slow networks are made by proxies alone. */
  readonly network?: "proxies";
  /** How much its clients ask for: gently where nothing is said. */
  readonly load?: {
    readonly clients?: number;
    readonly keys?: number;
    readonly pauseMs?: number;
    readonly pipeline?: number;
  };
  /** True when everything that clients ask for has to succeed, however often it is tried again. */
  readonly everythingSucceeds?: boolean;
  run(scene: Scene): Promise<void>;
}
