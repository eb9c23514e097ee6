import type { SeededRandom } from "@seshat/raft/testing";
import type { RoundReport } from "../round/round.js";

/** A cluster that is killed, round by round. */
export interface Target {
  /** Starts it. */
  found(): Promise<void>;
  /** One round: load, kills, restarts, and the checks. @throws when one of them fails. */
  run(round: number, random: SeededRandom): Promise<RoundReport>;
  /** What the processes wrote last, of those that wrote anything. */
  outputs(): readonly (readonly [id: number, output: string])[];
  /** Ends all processes. */
  stop(): Promise<void>;
}
