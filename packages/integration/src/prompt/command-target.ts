import type { LogId } from "@seshat/common";
import type { SingleNodeStatus } from "../single-node-status.js";

/** What the prompt drives: the part of a single-node cluster that commands call. */
export interface CommandTarget {
  set(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  get(key: Uint8Array): Promise<Uint8Array | null>;
  del(keys: readonly Uint8Array[]): Promise<number>;
  exists(keys: readonly Uint8Array[]): Promise<number>;
  status(): SingleNodeStatus;
  snapshot(): Promise<LogId>;
  restart(): Promise<void>;
}
