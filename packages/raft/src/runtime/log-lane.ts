import type { RaftTypeConfig, StorageVerb } from "@seshat/common";
import type { MaybePromise, RaftStorage } from "@seshat/storage";
import type {
  AppendCommand,
  PurgeCommand,
  SaveCommittedCommand,
  SaveVoteCommand,
  TruncateCommand,
} from "../engine/command.js";
import { storageFailure, toError } from "./failure.js";
import type { Instruments } from "./instruments.js";
import { isPending } from "./maybe-promise.js";
import { SerialQueue } from "./serial-queue.js";
import type { StallWatch, StorageCall } from "./stall-watch.js";

/** A write to the log half of storage. */
export type LogWrite =
  | SaveVoteCommand
  | AppendCommand
  | TruncateCommand
  | PurgeCommand
  | SaveCommittedCommand;

/** What the log lane tells. */
export interface LogLaneEvents {
  /** Every write up to `ioSeq` is durable. Rises from call to call. */
  persisted(ioSeq: number): void;
  /** A write failed, and none follows it. */
  failed(error: Error): void;
}

interface Unfinished {
  readonly ioSeq: number;
  durable: boolean;
}

const VERBS: Readonly<Record<LogWrite["type"], StorageVerb>> = {
  saveVote: "save vote",
  append: "append",
  truncate: "truncate",
  purge: "purge",
  saveCommitted: "save committed",
};

/**
 * Carries out durable writes in one order, vote and log alike. An append makes way for the next write once its entries can
 * be read; that they are durable may come later, and in any order: what is reported is only what is durable with all before it.
 */
export class LogLane<C extends RaftTypeConfig> {
  readonly #storage: RaftStorage<C>;
  readonly #events: LogLaneEvents;
  readonly #instruments: Instruments;
  readonly #stalls: StallWatch;
  readonly #queue: SerialQueue<LogWrite>;
  /** Writes that are not reported yet, in order. */
  readonly #unfinished: Unfinished[] = [];
  #running: StorageVerb = "append";
  /** Appends whose completion is still to come. */
  #syncing = 0;
  #whenSynced: (() => void) | null = null;
  #stopped = false;
  #failed = false;

  constructor(storage: RaftStorage<C>, events: LogLaneEvents, instruments: Instruments, stalls: StallWatch) {
    this.#storage = storage;
    this.#events = events;
    this.#instruments = instruments;
    this.#stalls = stalls;
    this.#queue = new SerialQueue(
      (write) => this.#watched(write.type, this.#start(write)),
      (error) => this.#fail(storageFailure(this.#running, error)),
    );
  }

  submit(write: LogWrite): void {
    if (write.type === "saveCommitted") {
      // Storage that keeps no such hint is left alone.
      if (this.#storage.saveCommitted === undefined) return;
      if (this.#queue.newest?.type === "saveCommitted") {
        this.#queue.replaceNewest(write);
        return;
      }
    }
    this.#queue.push(write);
  }

  /**
   * Starts nothing more, and reports nothing more.
   *
   * @returns once the running call has ended and what was appended is durable: whoever reads the log next takes all of
   *   it for durable. After a failure nothing more is waited for than the running call.
   */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#queue.close();
    if (this.#syncing === 0 || this.#failed) return;
    await new Promise<void>((resolve) => {
      this.#whenSynced = resolve;
    });
  }

  /** A call that does not end at once is watched until it does. */
  #watched(type: LogWrite["type"], done: MaybePromise<void>): MaybePromise<void> {
    if (!isPending(done)) return done;
    const call = this.#stalls.begin(VERBS[type]);
    return done.finally(() => this.#stalls.end(call));
  }

  #start(write: LogWrite): MaybePromise<void> {
    this.#running = VERBS[write.type];
    if (write.type === "saveCommitted") return this.#storage.saveCommitted?.(write.committed);
    const unfinished: Unfinished = { ioSeq: write.ioSeq, durable: false };
    this.#unfinished.push(unfinished);
    if (write.type === "append") return this.#append(write, unfinished);
    const done = this.#write(write);
    if (isPending(done)) return done.then(() => this.#finish(unfinished));
    this.#finish(unfinished);
  }

  #write(write: SaveVoteCommand | TruncateCommand | PurgeCommand): MaybePromise<void> {
    switch (write.type) {
      case "saveVote":
        return this.#storage.saveVote(write.vote);
      case "truncate":
        return this.#storage.truncate(write.since);
      case "purge":
        return this.#storage.purge(write.upto);
    }
  }

  #append(write: AppendCommand, unfinished: Unfinished): MaybePromise<void> {
    const { entries } = write;
    const end = this.#instruments.traces
      ? this.#instruments.startSpan("raft.append", {
          "raft.first_index": entries[0]?.logId.index ?? 0,
          "raft.entries": entries.length,
        })
      : null;
    let completed = false;
    let syncing: StorageCall | null = null;
    const complete = (error: Error | null): void => {
      if (completed) return;
      completed = true;
      if (syncing !== null) this.#stalls.end(syncing);
      end?.(error);
      this.#syncing -= 1;
      if (error === null) this.#finish(unfinished);
      else this.#fail(storageFailure("append", error));
      if (this.#syncing === 0) this.#whenSynced?.();
    };
    const fail = (thrown: unknown): never => {
      complete(toError(thrown));
      // Also when the completion came before: whatever storage throws stops the node.
      throw thrown;
    };
    this.#syncing += 1;
    try {
      const done = this.#storage.append(entries, complete);
      if (!completed) syncing = this.#stalls.begin("append");
      return isPending(done) ? done.catch(fail) : done;
    } catch (thrown) {
      return fail(thrown);
    }
  }

  #finish(unfinished: Unfinished): void {
    if (this.#stopped) return;
    unfinished.durable = true;
    let reported = 0;
    for (let first = this.#unfinished[0]; first?.durable === true; first = this.#unfinished[0]) {
      reported = first.ioSeq;
      this.#unfinished.shift();
    }
    if (reported > 0) this.#events.persisted(reported);
  }

  #fail(error: Error): void {
    this.#failed = true;
    this.#whenSynced?.();
    if (this.#stopped) return;
    this.#stopped = true;
    void this.#queue.close();
    this.#events.failed(error);
  }
}
