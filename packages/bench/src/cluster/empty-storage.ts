import type { NodeStorage } from "./bench-cluster.js";
import type { EmptyConfig } from "./empty-log.js";
import { EmptyLog } from "./empty-log.js";
import { EmptyStateMachine } from "./empty-state-machine.js";

/** The storage of a node that keeps nothing of value. */
export function emptyStorage(): NodeStorage<EmptyConfig> {
  const storage = new EmptyLog();
  const stateMachine = new EmptyStateMachine();
  return { storage, stateMachine, appended: storage.appended, applied: stateMachine.applied };
}
