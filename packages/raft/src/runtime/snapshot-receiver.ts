import type {
  AsyncRuntime,
  InstallSnapshotRequest,
  RaftTypeConfig,
  Snapshot,
  SnapshotMeta,
  Timer,
} from "@seshat/common";
import { InvalidValueError, equalLogIds } from "@seshat/common";
import type { RaftStateMachine, SnapshotSink } from "@seshat/storage";
import { storageFailure, toError } from "./failure.js";
import type { EndSpan, Instruments } from "./instruments.js";
import type { StallWatch } from "./stall-watch.js";

/** Parts that wait at once: of one leader, and of one that was deposed a moment ago, each perhaps sent twice. */
const MAX_WAITING = 4;

/** What a snapshot receiver works with. */
export interface SnapshotReceiverParts<C extends RaftTypeConfig> {
  readonly stateMachine: RaftStateMachine<C>;
  readonly runtime: AsyncRuntime;
  readonly instruments: Instruments;
  readonly stalls: StallWatch;
  /** The largest content that is taken, in bytes. */
  readonly maxBytes: number;
  /** What is not complete and does not grow for this long is forgotten. */
  readonly timeoutMs: number;
}

/** What a snapshot receiver tells. */
export interface SnapshotReceiverEvents<C extends RaftTypeConfig> {
  /** The whole content is there. */
  received(meta: SnapshotMeta<C["Node"]>): void;
  /** The state machine failed, and nothing follows. */
  failed(error: Error): void;
}

/** A snapshot that is coming, or has come. */
interface Incoming<C extends RaftTypeConfig> {
  readonly request: InstallSnapshotRequest<C["Node"]>;
  readonly sink: SnapshotSink<C["SnapshotData"]>;
  received: number;
  readonly end: EndSpan | null;
}

/**
 * Puts the parts of a snapshot together, in order and one snapshot at a time, in a sink of the state machine: what is held in
 * memory is one part. What comes out of order is not kept; the answer says what is wanted next.
 */
export class SnapshotReceiver<C extends RaftTypeConfig> {
  readonly #parts: SnapshotReceiverParts<C>;
  readonly #events: SnapshotReceiverEvents<C>;
  /** Parts that wait for the engine to say whether they are wanted, by the id of their request. */
  readonly #waiting = new Map<number, InstallSnapshotRequest<C["Node"]>>();
  #incoming: Incoming<C> | null = null;
  /** A snapshot that is complete, and waits to be installed or is being. */
  #complete: { readonly snapshot: Snapshot<C["SnapshotData"], C["Node"]>; readonly size: number } | null =
    null;
  /** Parts that are wanted, and not taken in yet. */
  #taking = 0;
  /** Parts are taken one after another. */
  #last: Promise<unknown> = Promise.resolve();
  #idle: Timer | null = null;
  #closed = false;

  constructor(parts: SnapshotReceiverParts<C>, events: SnapshotReceiverEvents<C>) {
    this.#parts = parts;
    this.#events = events;
  }

  /**
   * True while so many parts wait, for a decision or for the store to take them, that no more are let in: a leader sends one at a
   * time, and again what was not answered in time.
   */
  get full(): boolean {
    return this.#waiting.size + this.#taking >= MAX_WAITING;
  }

  /** A part came, and waits for a decision. */
  hold(rpcId: number, request: InstallSnapshotRequest<C["Node"]>): void {
    this.#waiting.set(rpcId, request);
  }

  /** It is not wanted. */
  forget(rpcId: number): void {
    this.#waiting.delete(rpcId);
  }

  /**
   * It is wanted.
   *
   * @returns how much of the content is there.
   * @throws {InvalidValueError} when the content is larger than what is taken, or than it was said to be.
   */
  take(rpcId: number): Promise<number> {
    const request = this.#waiting.get(rpcId);
    this.#waiting.delete(rpcId);
    if (request === undefined) return Promise.reject(new Error(`no part of a snapshot waits as ${rpcId}`));
    this.#taking += 1;
    const taken = this.#last
      .then(() => this.#take(request))
      .finally(() => {
        this.#taking -= 1;
      });
    this.#last = taken.catch(() => {});
    return taken;
  }

  /** Somebody brings a whole snapshot by hand: it takes the place of one that is coming. @returns false while one is installed. */
  offer(snapshot: Snapshot<C["SnapshotData"], C["Node"]>): boolean {
    if (this.#complete !== null) return false;
    this.#dropInTurn();
    this.#complete = { snapshot, size: snapshot.data.size };
    return true;
  }

  /** The snapshot that is complete. */
  get complete(): Snapshot<C["SnapshotData"], C["Node"]> {
    if (this.#complete === null) throw new Error("no snapshot is complete");
    return this.#complete.snapshot;
  }

  /** The complete snapshot is installed, or not needed, or cannot be read. */
  clear(): void {
    this.#complete = null;
  }

  /** Takes nothing more, and forgets what is not complete. @returns once no call to the state machine is running. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    this.#dropInTurn();
    await this.#last;
  }

  async #take(request: InstallSnapshotRequest<C["Node"]>): Promise<number> {
    const { meta, size, offset, data } = request;
    if (this.#closed) return 0;
    if (this.#complete !== null) return this.#held(meta);
    const incoming = await this.#incomingFor(request);
    if (this.#isTaken()) return this.#held(meta);
    if (offset === incoming.received && data.length > 0) {
      if (offset + data.length > size) {
        throw new InvalidValueError("installSnapshot.data.length", data.length, `at most ${size - offset}`);
      }
      await this.#attempt(() => incoming.sink.write(data));
      incoming.received += data.length;
      if (this.#isTaken()) return this.#held(meta);
      this.#restartIdle();
    }
    if (incoming.received === size) await this.#finish(incoming);
    return this.#complete === null ? incoming.received : this.#held(meta);
  }

  /** True once somebody brought another snapshot, or the node stopped, while a part was being taken: it is dropped in its turn. */
  #isTaken(): boolean {
    return this.#closed || this.#complete !== null;
  }

  /** How much of a snapshot there is while another one, or itself, is complete. */
  #held(meta: SnapshotMeta<unknown>): number {
    const complete = this.#complete;
    return complete !== null && isSame(complete.snapshot.meta, meta) ? complete.size : 0;
  }

  async #incomingFor(request: InstallSnapshotRequest<C["Node"]>): Promise<Incoming<C>> {
    const current = this.#incoming;
    if (current !== null && isContinued(current.request, request)) return current;
    const { meta, size } = request;
    if (size > this.#parts.maxBytes) {
      throw new InvalidValueError(
        "installSnapshot.size",
        size,
        `at most config.maxSnapshotBytes (${this.#parts.maxBytes})`,
      );
    }
    await this.#drop();
    const sink = await this.#attempt(() => this.#parts.stateMachine.receiveSnapshot(meta, size));
    const attributes = { "raft.peer": request.leaderId, "raft.bytes": size };
    const end = this.#parts.instruments.startSpan("raft.snapshot.receive", attributes);
    this.#incoming = { request: { ...request, data: new Uint8Array(0) }, sink, received: 0, end };
    this.#restartIdle();
    return this.#incoming;
  }

  async #finish({ request, sink, end }: Incoming<C>): Promise<void> {
    const data = await this.#attempt(() => sink.finish());
    this.#idle?.cancel();
    this.#incoming = null;
    if (this.#isTaken()) {
      end?.(new Error("another snapshot took its place"));
      return;
    }
    end?.(null);
    this.#complete = { snapshot: { meta: request.meta, data }, size: request.size };
    this.#events.received(request.meta);
  }

  async #attempt<T>(call: () => T | Promise<T>): Promise<T> {
    const { stalls } = this.#parts;
    const taking = stalls.begin("receive snapshot");
    try {
      return await call();
    } catch (thrown) {
      const error = storageFailure("receive snapshot", thrown);
      if (!this.#closed) this.#events.failed(error);
      throw error;
    } finally {
      stalls.end(taking);
    }
  }

  #restartIdle(): void {
    this.#idle?.cancel();
    this.#idle = this.#parts.runtime.setTimer(this.#parts.timeoutMs, () => {
      this.#parts.instruments.log("warn", "raft.snapshot.abandoned", {
        received: this.#incoming?.received ?? 0,
        size: this.#incoming?.request.size ?? 0,
      });
      this.#dropInTurn();
    });
  }

  /** Forgets what is not complete, after the parts that are being taken. */
  #dropInTurn(): void {
    this.#last = this.#last.then(() => this.#drop());
  }

  async #drop(): Promise<void> {
    this.#idle?.cancel();
    const incoming = this.#incoming;
    if (incoming === null) return;
    this.#incoming = null;
    incoming.end?.(new Error(`given up after ${incoming.received} bytes`));
    try {
      await incoming.sink.discard();
    } catch (thrown) {
      const error = toError(thrown).message;
      this.#parts.instruments.log("warn", "raft.snapshot.discard.failed", { error });
    }
  }
}

function isSame(a: SnapshotMeta<unknown>, b: SnapshotMeta<unknown>): boolean {
  return a.snapshotId === b.snapshotId && equalLogIds(a.lastLogId, b.lastLogId);
}

/** Two nodes may give different snapshots the same id, so a transfer goes on only from the same leader. */
function isContinued(
  current: InstallSnapshotRequest<unknown>,
  request: InstallSnapshotRequest<unknown>,
): boolean {
  return (
    current.leaderId === request.leaderId &&
    current.size === request.size &&
    isSame(current.meta, request.meta)
  );
}
