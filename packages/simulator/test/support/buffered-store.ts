import type { AsyncRuntime, BasicNode, LogId, Snapshot, SnapshotData, Vote } from "@seshat/common";
import type { IoCompletion } from "@seshat/storage";
import { OpenRaftMemStorage, OpenRaftStateMachine } from "@seshat/storage";
import type { SystemStore } from "../../src/system.js";
import type { OpenedStorage } from "../../src/world/node-storage.js";
import type { LockCommand, LockOutput, LockTypes } from "./lock-system.js";
import { LockMachine } from "./lock-system.js";

/** How long entries wait before they are written out together. */
const WRITE_EVERY_MS = 2;

/** A log that writes entries out a little later. What has not been written out does not outlive a crash. */
class BufferedLog extends OpenRaftMemStorage<LockTypes> {
  runtime: AsyncRuntime | null = null;
  readonly #lies: boolean;
  #written = 0;
  #waiting: IoCompletion[] = [];

  constructor(lies: boolean) {
    super(new LockMachine());
    this.#lies = lies;
  }

  override append(entries: readonly LockTypes["Entry"][], completion: IoCompletion): void {
    super.append(entries, () => {});
    if (this.#lies) completion(null);
    else this.#waiting.push(completion);
    this.runtime?.setTimer(WRITE_EVERY_MS, () => this.#write());
  }

  override saveVote(vote: Vote): void {
    this.#write();
    super.saveVote(vote);
  }

  override truncate(since: number): void {
    super.truncate(since);
    this.#write();
  }

  override purge(upto: LogId): void {
    super.purge(upto);
    this.#write();
  }

  crash(): void {
    this.#waiting = [];
    if (this.log.lastLogId.index > this.#written) super.truncate(this.#written + 1);
  }

  #write(): void {
    this.#written = this.log.lastLogId.index;
    for (const completion of this.#waiting.splice(0)) completion(null);
  }
}

/**
 * A store of a user's own, in memory, where what is synced outlives a crash of its node.
 *
 * @param lies when true it says that entries are durable before they are.
 */
export function bufferedStore(lies = false): SystemStore<LockTypes> {
  const log = new BufferedLog(lies);
  let life: OpenRaftStateMachine<LockCommand, LockOutput> | null = null;
  let snapshot: Snapshot<SnapshotData, BasicNode> | null = null;
  return {
    async open(runtime, watched): Promise<OpenedStorage<LockTypes>> {
      log.runtime = runtime;
      life = new OpenRaftStateMachine(watched);
      if (snapshot !== null) await life.installSnapshot(snapshot);
      return { storage: log, stateMachine: life };
    },
    crash() {
      snapshot = life?.readCurrentSnapshot() ?? snapshot;
      log.crash();
    },
  };
}
