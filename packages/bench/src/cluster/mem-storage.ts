import type { BytesTypeConfig, LogEntry, Request, Response } from "@seshat/common";
import type { IoCompletion, RaftStateMachine, StateMachine } from "@seshat/storage";
import { OpenRaftMemStorage } from "@seshat/storage";
import type { NodeStorage } from "./bench-cluster.js";
import { Tally } from "./tally.js";

/** The in-memory storage that every application gets, with what it was given counted at its doors. */
class TalliedMemStorage extends OpenRaftMemStorage<BytesTypeConfig> {
  readonly appended: Tally = new Tally();

  override append(entries: readonly LogEntry<Request>[], completion: IoCompletion): void {
    this.appended.add(entries);
    super.append(entries, completion);
  }
}

/** `OpenRaftMemStorage` over a state machine, and the tallies of what came through. */
export function memStorage(
  stateMachine: StateMachine<Request, Response>,
): NodeStorage<BytesTypeConfig> & { readonly storage: OpenRaftMemStorage<BytesTypeConfig> } {
  const storage = new TalliedMemStorage(stateMachine);
  const applied = new Tally();
  const inner = storage.stateMachine;
  const tallied: RaftStateMachine<BytesTypeConfig> = {
    readAppliedState: () => inner.readAppliedState(),
    apply: (entries) => {
      applied.add(entries);
      return inner.apply(entries);
    },
    snapshotBuilder: () => inner.snapshotBuilder(),
    readCurrentSnapshot: () => inner.readCurrentSnapshot(),
    receiveSnapshot: (meta, size) => inner.receiveSnapshot(meta, size),
    installSnapshot: (snapshot, pause) => inner.installSnapshot(snapshot, pause),
  };
  return { storage, stateMachine: tallied, appended: storage.appended, applied };
}
