import type {
  AsyncRuntime,
  LogId,
  RaftTypeConfig,
  Snapshot,
  SnapshotMeta,
  StorageVerb,
} from "@seshat/common";
import { CodecError, StorageError } from "@seshat/common";
import type { ApplyResponse, MaybePromise, RaftLogReader, RaftStateMachine } from "@seshat/storage";
import type { ApplyCommand, BuildSnapshotCommand } from "../engine/command.js";
import { storageFailure } from "./failure.js";
import type { Instruments } from "./instruments.js";
import type { LogCache } from "./log-cache.js";
import { andThen, isPending } from "./maybe-promise.js";
import { Pace } from "./pace.js";
import { SerialQueue } from "./serial-queue.js";
import type { StallWatch } from "./stall-watch.js";

/** What the apply lane tells. */
export interface ApplyLaneEvents<C extends RaftTypeConfig> {
  /** The entries are applied; `responses` has one item for each. */
  applied(entries: readonly C["Entry"][], responses: readonly ApplyResponse<C["R"]>[]): void;
  snapshotBuilt(meta: SnapshotMeta<C["Node"]>): void;
  /** The state machine holds the snapshot, and nothing of before; or, with an error, it could not be read and all is as before. */
  snapshotInstalled(meta: SnapshotMeta<C["Node"]>, damage: Error | null): void;
  /** The state machine or the reading of entries failed, and nothing follows. */
  failed(error: Error): void;
}

/** What the apply lane works with. */
export interface ApplyLaneParts<C extends RaftTypeConfig> {
  readonly stateMachine: RaftStateMachine<C>;
  readonly reader: RaftLogReader<C>;
  readonly cache: LogCache;
  readonly runtime: AsyncRuntime;
  readonly instruments: Instruments;
  readonly stalls: StallWatch;
  /** Of what takes as long as it is large. */
  readonly snapshotStalls: StallWatch;
  /** Entries handed to the state machine in one call. */
  readonly maxApplyEntries: number;
}

/** A snapshot to be installed. */
export interface InstallTask<C extends RaftTypeConfig> {
  readonly type: "install";
  readonly snapshot: Snapshot<C["SnapshotData"], C["Node"]>;
}

/**
 * Entries read from storage in one go, at most, where more are to be applied: to begin a read on a disk takes as long as to read a thousand entries. Storage
 * bounds what it gives in bytes.
 */
const READ_ENTRIES = 16_384;

type Task<C extends RaftTypeConfig> = ApplyCommand | BuildSnapshotCommand | InstallTask<C>;

/**
 * Feeds the state machine: applies one after another, snapshots captured or installed between two of them. A snapshot is then built beside
 * the applies that follow.
 */
export class ApplyLane<C extends RaftTypeConfig> {
  readonly #parts: ApplyLaneParts<C>;
  readonly #events: ApplyLaneEvents<C>;
  readonly #queue: SerialQueue<Task<C>>;
  #build: Promise<void> | null = null;
  /** What the running task is doing, for the error when that fails. */
  #running: StorageVerb = "apply";
  #stopped = false;

  constructor(parts: ApplyLaneParts<C>, events: ApplyLaneEvents<C>) {
    this.#parts = parts;
    this.#events = events;
    this.#queue = new SerialQueue(
      (task) => this.#run(task),
      (error) => this.#fail(storageFailure(this.#running, error)),
    );
  }

  submit(task: Task<C>): void {
    const { newest } = this.#queue;
    if (task.type === "apply" && newest?.type === "apply") {
      this.#queue.replaceNewest({ type: "apply", since: newest.since, upto: task.upto });
    } else if (task.type === "apply" && this.#queue.enter()) {
      this.#applyNow(task);
    } else {
      this.#queue.push(task);
    }
  }

  #applyNow({ since, upto }: ApplyCommand): void {
    let done: MaybePromise<void>;
    try {
      done = this.#apply(since, upto);
    } catch (error) {
      this.#queue.fail(error);
      return;
    }
    this.#queue.leave(done);
  }

  /** Starts nothing more, and reports nothing more. @returns once the running call and the running build have ended. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#queue.close();
    await this.#build;
  }

  #run(task: Task<C>): MaybePromise<void> {
    switch (task.type) {
      case "apply":
        return this.#apply(task.since, task.upto);
      case "buildSnapshot":
        return this.#capture();
      case "install":
        return this.#install(task.snapshot);
    }
  }

  /**
   * A call that does not end at once is watched until it does. Building a snapshot, and installing one, take as long as they are large: they are
   * watched from pause to pause, apart from the others. To capture the state is one of those, for nothing is applied meanwhile.
   */
  #watched<T>(verb: StorageVerb, done: MaybePromise<T>): MaybePromise<T> {
    if (!isPending(done)) return done;
    const call = this.#parts.stalls.begin(verb);
    return done.finally(() => this.#parts.stalls.end(call));
  }

  #apply(since: number, upto: number): MaybePromise<void> {
    if (this.#stopped) return;
    this.#running = "read log";
    const { cache, reader, maxApplyEntries } = this.#parts;
    const soon = Math.min(upto, since + maxApplyEntries - 1);
    const cached = cache.slice(since, soon);
    if (cached !== undefined) return this.#applyChecked(cached, since, soon, upto);
    const end = Math.min(upto, since + Math.max(READ_ENTRIES, maxApplyEntries) - 1);
    const read = this.#watched("read log", reader.readEntries(since, end));
    if (isPending(read)) return read.then((late) => this.#applyChecked(late, since, end, upto));
    return this.#applyChecked(read, since, end, upto);
  }

  #applyChecked(
    entries: readonly C["Entry"][],
    since: number,
    end: number,
    upto: number,
  ): MaybePromise<void> {
    checkRead(entries, since, end);
    return this.#applyRead(entries, 0, upto);
  }

  /** Applies what was read, from position `from` on, and then the rest up to index `upto`. */
  #applyRead(entries: readonly C["Entry"][], from: number, upto: number): MaybePromise<void> {
    if (this.#stopped) return undefined;
    const { maxApplyEntries } = this.#parts;
    const end = from + maxApplyEntries;
    const part = from === 0 && entries.length <= maxApplyEntries ? entries : entries.slice(from, end);
    const applied = this.#applyEntries(part);
    if (isPending(applied)) return applied.then((late) => this.#goOn(late, entries, upto));
    return this.#goOn(applied, entries, upto);
  }

  /** @param applied the index of the last entry applied. */
  #goOn(applied: number, entries: readonly C["Entry"][], upto: number): MaybePromise<void> {
    if (applied === upto || this.#stopped) return undefined;
    const next = applied + 1 - firstIndex(entries);
    // A long backlog, or what takes long, must not keep timers and sockets from their turn.
    return this.#pause().then(() =>
      next < entries.length ? this.#applyRead(entries, next, upto) : this.#apply(applied + 1, upto),
    );
  }

  /** @returns the index of the last entry applied. */
  #applyEntries(entries: readonly C["Entry"][]): MaybePromise<number> {
    const { stateMachine, instruments } = this.#parts;
    this.#running = "apply";
    const responses = instruments.traces
      ? instruments.trace(
          "raft.apply",
          { "raft.first_index": firstIndex(entries), "raft.entries": entries.length },
          () => stateMachine.apply(entries),
        )
      : stateMachine.apply(entries);
    if (!isPending(responses)) return this.#applied(entries, responses);
    return andThen(this.#watched("apply", responses), (late) => this.#applied(entries, late));
  }

  #applied(
    entries: readonly C["Entry"][],
    responses: readonly ApplyResponse<C["R"]>[],
  ): MaybePromise<number> {
    const count = responses.length;
    if (count === entries.length) return this.#report(entries, responses);
    const problem = `${count} responses to ${entries.length} entries`;
    if (count === 0 || count > entries.length) throw new StorageError("apply", problem);
    // It may have left the rest for later; or it has forgotten to answer.
    const part = entries.slice(0, count);
    return andThen(
      this.#watched("apply", this.#parts.stateMachine.readAppliedState()),
      ({ lastAppliedLogId: { index } }) => {
        if (index !== lastLogId(part).index) {
          throw new StorageError("apply", `${problem}, and ${index} is the last that is applied`);
        }
        return this.#report(part, responses);
      },
    );
  }

  #report(entries: readonly C["Entry"][], responses: readonly ApplyResponse<C["R"]>[]): number {
    if (!this.#stopped) this.#events.applied(entries, responses);
    return lastLogId(entries).index;
  }

  #capture(): MaybePromise<void> {
    const { stateMachine, instruments } = this.#parts;
    this.#running = "build snapshot";
    return andThen(this.#watched("build snapshot", stateMachine.snapshotBuilder()), (builder) => {
      const pace = this.#pace("build snapshot");
      const built = instruments.trace("raft.snapshot.build", {}, () =>
        builder.buildSnapshot(() => pace.pause()),
      );
      const finished = andThen(built, ({ meta }) => {
        if (!this.#stopped) this.#events.snapshotBuilt(meta);
      });
      if (isPending(finished)) {
        pace.begin();
        this.#build = finished
          .catch((error: unknown) => this.#fail(storageFailure("build snapshot", error)))
          .finally(() => pace.end());
      }
    });
  }

  async #install(snapshot: Snapshot<C["SnapshotData"], C["Node"]>): Promise<void> {
    if (this.#stopped) return;
    const { stateMachine, instruments } = this.#parts;
    const { meta } = snapshot;
    this.#running = "install snapshot";
    let damage: Error | null = null;
    const pace = this.#pace("install snapshot");
    pace.begin();
    try {
      await instruments.trace("raft.snapshot.install", { "raft.index": meta.lastLogId.index }, () =>
        stateMachine.installSnapshot(snapshot, () => pace.pause()),
      );
    } catch (thrown) {
      // The content is to blame, not this node's storage: the old state stands, and the node goes on.
      if (!(thrown instanceof CodecError)) throw thrown;
      damage = thrown;
    } finally {
      pace.end();
    }
    if (!this.#stopped) this.#events.snapshotInstalled(meta, damage);
  }

  #pace(verb: StorageVerb): Pace {
    return new Pace(this.#parts.snapshotStalls, this.#parts.runtime, verb);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#parts.runtime.yield(resolve));
  }

  #fail(error: Error): void {
    if (this.#stopped) return;
    this.#stopped = true;
    void this.#queue.close();
    this.#events.failed(error);
  }
}

function lastLogId(entries: readonly { readonly logId: LogId }[]): LogId {
  return (entries[entries.length - 1] as { readonly logId: LogId }).logId;
}

function firstIndex(entries: readonly { readonly logId: LogId }[]): number {
  return (entries[0] as { readonly logId: LogId }).logId.index;
}

/** Storage may return fewer entries than asked for, never others. */
function checkRead(entries: readonly { readonly logId: LogId }[], since: number, upto: number): void {
  const first = entries[0]?.logId.index;
  if (
    first !== since ||
    lastLogId(entries).index !== since + entries.length - 1 ||
    entries.length > upto - since + 1
  ) {
    throw new StorageError(
      "read log",
      `asked for entries ${since} to ${upto}, got ${entries.length} from ${first ?? "none"} on`,
    );
  }
}
