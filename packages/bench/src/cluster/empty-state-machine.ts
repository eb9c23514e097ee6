import type { LogId, Snapshot, SnapshotData, StoredMembership, BasicNode } from "@seshat/common";
import { EMPTY_STORED_MEMBERSHIP, ZERO_LOG_ID } from "@seshat/common";
import type { AppliedState, RaftSnapshotBuilder, RaftStateMachine, SnapshotSink } from "@seshat/storage";
import { MemSnapshotData } from "@seshat/storage";
import type { EmptyConfig } from "./empty-log.js";
import { Tally, VerificationError } from "./tally.js";

/** A state machine without state: it counts what is applied, and its snapshots have no content. */
export class EmptyStateMachine implements RaftStateMachine<EmptyConfig> {
  readonly applied: Tally = new Tally();
  #last: LogId = ZERO_LOG_ID;
  #membership: StoredMembership<BasicNode> = EMPTY_STORED_MEMBERSHIP;
  #snapshot: Snapshot<SnapshotData> | null = null;

  readAppliedState(): AppliedState<BasicNode> {
    return { lastAppliedLogId: this.#last, lastMembership: this.#membership };
  }

  apply(entries: readonly EmptyConfig["Entry"][]): null[] {
    this.applied.add(entries);
    const responses = new Array<null>(entries.length);
    for (let i = 0; i < entries.length; i += 1) {
      const { logId, payload } = entries[i] as EmptyConfig["Entry"];
      if (payload.type === "membership") this.#membership = { logId, membership: payload.membership };
      this.#last = logId;
      responses[i] = null;
    }
    return responses;
  }

  snapshotBuilder(): RaftSnapshotBuilder<EmptyConfig> {
    const meta = {
      lastLogId: this.#last,
      lastMembership: this.#membership,
      snapshotId: String(this.#last.index),
    };
    return {
      buildSnapshot: () => {
        this.#snapshot = { meta, data: MemSnapshotData.of([]) };
        return this.#snapshot;
      },
    };
  }

  readCurrentSnapshot(): Snapshot<SnapshotData> | null {
    return this.#snapshot;
  }

  receiveSnapshot(): SnapshotSink<SnapshotData> {
    throw new VerificationError("a follower was sent a snapshot: it would not apply every entry");
  }

  installSnapshot(): never {
    throw new VerificationError("a snapshot was installed in place of entries");
  }
}
