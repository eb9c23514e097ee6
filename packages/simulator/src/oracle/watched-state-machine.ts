import type { LogId, RaftTypeConfig } from "@seshat/common";
import type { RaftStateMachine } from "@seshat/storage";

/**
 * A state machine that tells which snapshots are installed, at the moment at which it says so itself: then they are durable.
 *
 * @param installed is told the last entry of each.
 */
export function watchStateMachine<C extends RaftTypeConfig>(
  stateMachine: RaftStateMachine<C>,
  installed: (lastLogId: LogId) => void,
): RaftStateMachine<C> {
  return {
    readAppliedState: () => stateMachine.readAppliedState(),
    apply: (entries) => stateMachine.apply(entries),
    snapshotBuilder: () => stateMachine.snapshotBuilder(),
    readCurrentSnapshot: () => stateMachine.readCurrentSnapshot(),
    receiveSnapshot: (meta, size) => stateMachine.receiveSnapshot(meta, size),
    installSnapshot: (snapshot, pause) => {
      const { lastLogId } = snapshot.meta;
      const done = stateMachine.installSnapshot(snapshot, pause);
      if (done instanceof Promise) return done.then(() => installed(lastLogId));
      return installed(lastLogId);
    },
  };
}
