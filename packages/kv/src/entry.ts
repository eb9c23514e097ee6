import type { KvConfig } from "./config.js";

/** A command by its arguments, the name first, as a client sends it. */
export interface CommandPart {
  readonly type: "command";
  readonly args: readonly Uint8Array[];
}

/** A key that must not have changed since it had this version: the index of the entry that changed it last, 0 when it is absent. */
export interface WatchedKey {
  readonly key: Uint8Array;
  readonly version: number;
}

/** Commands that are carried out together, one after the other, or not at all. */
export interface TransactionPart {
  readonly type: "transaction";
  readonly watched: readonly WatchedKey[];
  readonly commands: readonly (readonly Uint8Array[])[];
}

/** A change of the configuration: the fields that are named. */
export interface ConfigPart {
  readonly type: "config";
  readonly config: Partial<KvConfig>;
}

export type EntryPart = CommandPart | TransactionPart | ConfigPart;

/** What one entry of the log holds: what came in together. */
export interface KvEntry {
  /** The leader's clock, in milliseconds since 1970. Time that goes back is taken for none that has passed. */
  readonly timeMs: number;
  /** What commands that draw at random draw from: an integer from 0 to 2^53 - 1, which nobody can foresee. */
  readonly seed: number;
  /** None, when only the time is to pass. */
  readonly parts: readonly EntryPart[];
}
