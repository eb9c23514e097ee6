import type {
  AsyncRuntime,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  NodeId,
  RaftTypeConfig,
  RpcResponse,
  Snapshot,
} from "@seshat/common";
import type { MaybePromise } from "@seshat/storage";
import type { SendSnapshotCommand } from "../engine/command.js";
import type { Event } from "../engine/event.js";
import { toError } from "./failure.js";
import type { Instruments } from "./instruments.js";
import { SnapshotChunks } from "./snapshot-chunks.js";

/** What a snapshot sender works with. */
export interface SnapshotSenderParts<C extends RaftTypeConfig> {
  readonly id: NodeId;
  readonly runtime: AsyncRuntime;
  readonly instruments: Instruments;
  readonly chunkBytes: number;
  /** A transfer without progress for this long is given up. */
  readonly timeoutMs: number;
  /** How long to wait after a part that got no answer, and before asking whether the snapshot is installed. */
  readonly pauseMs: number;
  /** Where the newest snapshot ends. */
  newestIndex(): number;
  /** Where the log ends, and how far it is committed: while clients write it grows, or has entries that are not. */
  logExtent(): { readonly last: number; readonly committed: number };
  readSnapshot(): MaybePromise<Snapshot<C["SnapshotData"], C["Node"]> | null>;
  /** Sends one part. Rejects when there is no answer in time; stays pending once the peer is given up. */
  call(to: NodeId, request: InstallSnapshotRequest<C["Node"]>): Promise<RpcResponse<InstallSnapshotResponse>>;
  /** True while the engine waits for the outcome. */
  awaits(command: SendSnapshotCommand): boolean;
  emit(event: Event): void;
}

/** How far a snapshot has come. */
export interface SnapshotProgress {
  /** Bytes that the follower has. */
  readonly offset: number;
  readonly size: number;
}

/** While clients write, a transfer rests after each part for so many times as long as that took: it has a third of the time, and the writes the rest. */
const REST = 2;
/**
 * No rest is longer, in milliseconds: whatever is written, a follower gets a part for each such time beside what the part itself takes, up to 6 MiB a
 * second with parts of the default size.
 */
const LONGEST_REST_MS = 40;

interface Transfer {
  readonly command: SendSnapshotCommand;
  /** What waits now is told when the transfer is given up. A promise for that would keep whatever had ever waited. */
  readonly waits: Set<() => void>;
  ended: boolean;
  progress: SnapshotProgress | null;
}

/**
 * Brings snapshots to followers, a part at a time, each sent when the one before is answered. The follower says what
 * it wants next: after an interruption a transfer goes on where it ended. While clients write, it makes way for them.
 */
export class SnapshotSender<C extends RaftTypeConfig> {
  readonly #parts: SnapshotSenderParts<C>;
  readonly #transfers = new Map<NodeId, Transfer>();
  /** Transfers that are not wound up yet, given up or not. */
  readonly #running = new Set<Promise<void>>();

  constructor(parts: SnapshotSenderParts<C>) {
    this.#parts = parts;
  }

  /** Sends the newest snapshot, in place of what was on its way to the same follower. */
  send(command: SendSnapshotCommand): void {
    this.cancel(command.to);
    const transfer: Transfer = { command, waits: new Set(), ended: false, progress: null };
    this.#transfers.set(command.to, transfer);
    const { instruments } = this.#parts;
    const end = instruments.startSpan("raft.snapshot.send", { "raft.peer": command.to });
    const running = this.#transfer(transfer)
      .then(
        (event) => {
          end?.(
            event?.type === "installSnapshotResponse" ? null : new Error("the snapshot did not get through"),
          );
          if (event !== null) this.#parts.emit(event);
        },
        (thrown: unknown) => {
          const error = toError(thrown);
          end?.(error);
          instruments.log("warn", "raft.snapshot.unreadable", { peer: command.to, error: error.message });
          if (!transfer.ended) this.#parts.emit(failed(command));
        },
      )
      .finally(() => {
        if (this.#transfers.get(command.to) === transfer) this.#transfers.delete(command.to);
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  /** Gives up what nobody waits for any more: the leader stepped down, or helps the follower otherwise. */
  review(): void {
    if (this.#transfers.size === 0) return;
    for (const [id, { command }] of this.#transfers) if (!this.#parts.awaits(command)) this.cancel(id);
  }

  /** Gives up everything. @returns once no snapshot is being read. */
  async close(): Promise<void> {
    this.retain(() => false);
    await Promise.all(this.#running);
  }

  /** Gives up what is on its way to those for which `isNeeded` is false. */
  retain(isNeeded: (id: NodeId) => boolean): void {
    for (const id of this.#transfers.keys()) if (!isNeeded(id)) this.cancel(id);
  }

  /** Gives up what is on its way to a follower. */
  cancel(to: NodeId): void {
    const transfer = this.#transfers.get(to);
    if (transfer === undefined) return;
    this.#transfers.delete(to);
    transfer.ended = true;
    for (const end of transfer.waits) end();
  }

  /** How far the snapshot is that is on its way to a follower; null when none is. */
  progress(to: NodeId): SnapshotProgress | null {
    return this.#transfers.get(to)?.progress ?? null;
  }

  /** @returns what came of it; null when nobody waits for that any more. */
  async #transfer(transfer: Transfer): Promise<Event | null> {
    const { command } = transfer;
    const beganAt = this.#parts.runtime.now();
    for (;;) {
      const snapshot = await this.#parts.readSnapshot();
      if (snapshot === null) return failed(command);
      const chunks = new SnapshotChunks(snapshot.data, this.#parts.chunkBytes);
      try {
        const outcome = await this.#sendAll(transfer, snapshot, chunks, beganAt);
        if (outcome !== "outdated") return outcome;
      } finally {
        await this.#letGo(command.to, chunks);
      }
    }
  }

  /** Whatever comes of that, the transfer went as it went. */
  async #letGo(peer: NodeId, chunks: SnapshotChunks): Promise<void> {
    try {
      await chunks.close();
    } catch (thrown) {
      const error = toError(thrown).message;
      this.#parts.instruments.log("warn", "raft.snapshot.close.failed", { peer, error });
    }
  }

  /** @returns `outdated` when there is a newer one before the follower has answered about this one. */
  async #sendAll(
    transfer: Transfer,
    { meta, data: { size } }: Snapshot<C["SnapshotData"], C["Node"]>,
    chunks: SnapshotChunks,
    beganAt: number,
  ): Promise<Event | "outdated" | null> {
    const { id: leaderId, runtime, timeoutMs, pauseMs } = this.#parts;
    const { command } = transfer;
    const { to, term, seq } = command;
    let offset = 0;
    // The first request carries nothing: the follower may have most of it from an attempt before.
    let asks = true;
    let progressAt = beganAt;
    transfer.progress = { offset, size };
    while (this.#goesOn(transfer)) {
      const begunAt = runtime.now();
      const lastBefore = this.#parts.logExtent().last;
      const data = asks ? new Uint8Array(0) : await chunks.at(offset);
      if (!this.#goesOn(transfer)) return null;
      const request = { term, leaderId, meta, size, offset, data };
      const response = await unlessOver(transfer, this.#parts.call(to, request));
      if (response === null) return null;
      if (response !== "lost" && response.type !== "progress") {
        const { header, ...outcome } = response;
        return {
          type: "installSnapshotResponse",
          from: to,
          requestTerm: term,
          seq,
          lastLogId: meta.lastLogId,
          response: outcome,
          incarnation: header.incarnation,
        };
      }
      const next = response === "lost" ? offset : response.nextOffset;
      if (next > size) return failed(command);
      // It had everything and has not installed it: it could not read it, or began a new life. The engine decides when to try again.
      if (next < offset && offset === size) return failed(command);
      const moved = next > offset;
      // Who has everything and is installing it makes progress as long as it answers.
      const installs = response !== "lost" && next === size;
      if (moved || installs) progressAt = runtime.now();
      else if (runtime.now() - progressAt >= timeoutMs) return failed(command);
      const waits = response === "lost" || installs || !(moved || asks);
      if (response !== "lost") asks = false;
      offset = next;
      transfer.progress = { offset, size };
      if (waits) await this.#pause(transfer, pauseMs);
      else if (this.#isWritten(lastBefore)) await this.#pause(transfer, restMs(runtime.now() - begunAt));
      if (asks && this.#parts.newestIndex() > meta.lastLogId.index && this.#goesOn(transfer))
        return "outdated";
    }
    return null;
  }

  #goesOn(transfer: Transfer): boolean {
    return !transfer.ended && this.#parts.awaits(transfer.command);
  }

  /** Whether clients write, or wait for what they wrote. @param lastBefore where the log ended a moment ago. */
  #isWritten(lastBefore: number): boolean {
    const { last, committed } = this.#parts.logExtent();
    return last > lastBefore || last > committed;
  }

  #pause(transfer: Transfer, forMs: number): Promise<void> {
    if (transfer.ended) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const end = (): void => {
        timer.cancel();
        transfer.waits.delete(end);
        resolve();
      };
      const timer = this.#parts.runtime.setTimer(forMs, end);
      transfer.waits.add(end);
    });
  }
}

/** How long to make way for writes after a part that took so long. */
function restMs(tookMs: number): number {
  return Math.min(REST * tookMs, LONGEST_REST_MS);
}

/** The answer to a part; `lost` when there is none in time, null when the transfer is given up before. */
function unlessOver<T>({ waits }: Transfer, answer: Promise<T>): Promise<T | "lost" | null> {
  return new Promise((resolve) => {
    const settle = (outcome: T | "lost" | null): void => {
      waits.delete(end);
      resolve(outcome);
    };
    const end = (): void => settle(null);
    waits.add(end);
    answer.then(settle, () => settle("lost"));
  });
}

function failed({ to, term, seq }: SendSnapshotCommand): Event {
  return { type: "installSnapshotFailed", from: to, requestTerm: term, seq };
}
