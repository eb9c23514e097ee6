import type { RaftTypeConfig } from "@seshat/common";
import type { SystemStore } from "../system.js";
import type { NodeStore } from "./node-storage.js";

const NO_COUNTS: ReadonlyMap<string, number> = new Map();

/** A store to which everything can be done; what it has no way for leaves it as it is. */
export function completeStore<C extends RaftTypeConfig>(store: SystemStore<C>): NodeStore<C> {
  return {
    open: (runtime, machine) => store.open(runtime, machine),
    crash: (what) => store.crash(what),
    hang: () => store.hang?.(),
    release: () => store.release?.(),
    setFaults: (faults) => store.setFaults?.(faults),
    failNextSync: () => store.failNextSync?.(),
    faultCounts: () => store.faultCounts?.() ?? NO_COUNTS,
    // Not the same one in every life.
    get trouble() {
      return store.trouble;
    },
  };
}
