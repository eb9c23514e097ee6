import type { RaftTypeConfig, StorageVerb } from "@seshat/common";
import type { MaybePromise, RaftStorage } from "@seshat/storage";
import type {
  AppendCommand,
  PurgeCommand,
  SaveCommittedCommand,
  SaveVoteCommand,
  TruncateCommand,
} from "../engine/command.js";
import { Fifo } from "./fifo.js";
import { storageFailure, toError } from "./failure.js";
import type { EndSpan, Instruments } from "./instruments.js";
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
  /** The entries of an append, and of all before it, can be read, durable or not. */
  readable(ioSeq: number): void;
  /** A write failed, and none follows it. */
  failed(error: Error): void;
}

/** A write that is not reported yet. */
class Unfinished {
  readonly ioSeq: number;
  /** Of an append: the end of its span. */
  readonly end: EndSpan | null;
  durable = false;
  /** Of an append: storage has said what came of it. */
  completed = false;
  /** Of an append: it stands among the unfinished; before that, what comes of it waits for the call to return. */
  isListed = false;
  syncing: StorageCall | null = null;

  constructor(ioSeq: number, end: EndSpan | null) {
    this.ioSeq = ioSeq;
    this.end = end;
  }
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
  readonly #unfinished = new Fifo<Unfinished>();
  #running: LogWrite["type"] = "append";
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
      (error) => this.#fail(storageFailure(VERBS[this.#running], error)),
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
    if (write.type === "append" && this.#queue.enter()) this.#appendNow(write);
    else this.#queue.push(write);
  }

  #appendNow(write: AppendCommand): void {
    let done: MaybePromise<void>;
    this.#running = "append";
    try {
      done = this.#append(write);
    } catch (error) {
      this.#queue.fail(error);
      return;
    }
    this.#queue.leave(isPending(done) ? this.#watched("append", done) : undefined);
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
    this.#running = write.type;
    if (write.type === "saveCommitted") return this.#storage.saveCommitted?.(write.committed);
    if (write.type === "append") return this.#append(write);
    const unfinished = new Unfinished(write.ioSeq, null);
    this.#unfinished.push(unfinished);
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

  #append({ ioSeq, entries }: AppendCommand): MaybePromise<void> {
    const end = this.#instruments.traces
      ? this.#instruments.startSpan("raft.append", {
          "raft.first_index": entries[0]?.logId.index ?? 0,
          "raft.entries": entries.length,
        })
      : null;
    const append = new Unfinished(ioSeq, end);
    this.#syncing += 1;
    let done: MaybePromise<void>;
    try {
      done = this.#storage.append(entries, (error) => this.#completed(append, error));
    } catch (thrown) {
      return this.#thrown(append, thrown);
    }
    if (append.completed && this.#unfinished.length === 0 && !this.#failed) {
      // Mostly storage in memory is done with it by now, and with all before it.
      append.durable = true;
      this.#report(append.ioSeq);
    } else {
      this.#unfinished.push(append);
      if (append.completed && !this.#failed) this.#finish(append);
      else if (!append.completed) append.syncing = this.#stalls.begin("append");
    }
    append.isListed = true;
    if (!isPending(done)) return this.#events.readable(ioSeq);
    return done.then(
      () => this.#events.readable(ioSeq),
      (thrown: unknown) => this.#thrown(append, thrown),
    );
  }

  /** The entries are durable, or an error says why not. */
  #completed(append: Unfinished, error: Error | null): void {
    if (append.completed) return;
    append.completed = true;
    if (append.syncing !== null) this.#stalls.end(append.syncing);
    append.end?.(error);
    this.#syncing -= 1;
    if (error !== null) this.#fail(storageFailure("append", error));
    else if (append.isListed) this.#finish(append);
    if (this.#syncing === 0) this.#whenSynced?.();
  }

  /** Whatever storage throws stops the node, also when the completion came before. */
  #thrown(append: Unfinished, thrown: unknown): never {
    this.#completed(append, toError(thrown));
    throw thrown;
  }

  #finish(unfinished: Unfinished): void {
    unfinished.durable = true;
    let reported = 0;
    for (let first = this.#unfinished.first; first?.durable === true; first = this.#unfinished.first) {
      reported = first.ioSeq;
      this.#unfinished.shift();
    }
    if (reported > 0) this.#report(reported);
  }

  #report(ioSeq: number): void {
    if (!this.#stopped) this.#events.persisted(ioSeq);
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
