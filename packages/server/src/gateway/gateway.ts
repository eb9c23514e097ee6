import { setImmediate as turn } from "node:timers/promises";
import type { NodeId } from "@seshat/common";
import { NotLeaderError, ShutdownError } from "@seshat/common";
import type { KvStateMachine } from "@seshat/kv";
import type { Raft } from "@seshat/raft";
import type { RespValue } from "@seshat/resp";
import type { LeaderLink } from "../forward/leader-link.js";
import { serveForwarded } from "../forward/serve-forwarded.js";
import type { ServerTypeConfig } from "../node/type-config.js";
import type { Read } from "./careful-read.js";
import { readFailure, writeFailure } from "./failure.js";
import type { LaneLimits, LaneParts } from "./lane.js";
import { Lane } from "./lane.js";
import type { LeaderClock } from "./leader-clock.js";
import { LocalReader } from "./local-reader.js";
import { LocalWriter } from "./local-writer.js";
import type { Args, NOT_AT_ONCE, ReadOp, WriteOp } from "./op.js";
import type { Outcome } from "./outcome.js";

/** What a gateway is made of. */
export interface GatewayParts {
  readonly raft: Raft<ServerTypeConfig>;
  readonly machine: KvStateMachine;
  readonly read: Read;
  readonly clock: LeaderClock;
  /** The way to whoever leads, when it is another node. */
  readonly link: LeaderLink;
  /** Where a node listens for its peers; null when nobody knows. */
  addressOf(id: NodeId): string | null;
  /** How long an operation may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How long a message between nodes may be, in bytes. */
  readonly maxMessageBytes: number;
  /** Called when replies were delivered: they can be written out. */
  delivered(): void;
}

/** Groups small enough for one entry, and for one message between nodes with room to spare. */
const WRITE_LIMITS: Omit<LaneLimits, "timeoutMs"> = {
  groupOps: 4096,
  groupBytes: 512 * 1024,
  inFlight: 8,
  enoughOps: 64,
  returnPauseMs: 0.1,
  gatherMs: 2,
  waitingBytes: 64 * 1024 * 1024,
};

/** What is asked is small; what is answered may be large. */
const READ_LIMITS: Omit<LaneLimits, "timeoutMs"> = {
  groupOps: 512,
  groupBytes: 512 * 1024,
  inFlight: 32,
  enoughOps: 64,
  // A round costs less than an entry: a turn that brings nobody is pause enough.
  returnPauseMs: 0,
  gatherMs: 1,
  waitingBytes: 64 * 1024 * 1024,
};

/** What a message between nodes has beside an answer, with room to spare. */
const ENVELOPE_BYTES = 1024;

/** How long a leader that was deposed has for its last answers, in milliseconds. */
const GRACE_MS = 300;

/**
 * Where the operations of all clients of this node go: into the log and the state machine when it leads, otherwise to the node that
 * does. What comes in one turn of the event loop goes together.
 */
export class Gateway {
  readonly writes: Lane<WriteOp>;
  readonly reads: Lane<ReadOp>;
  readonly #parts: GatewayParts;
  readonly #writer: LocalWriter;
  readonly #reader: LocalReader;
  readonly #stopWatching: () => void;
  #scheduled: NodeJS.Immediate | null = null;
  #isPumping = false;
  #grace: NodeJS.Timeout | undefined;
  /** When the last leader was lost; null while one is known. */
  #lostAt: number | null = null;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    const { raft, machine, clock, timeoutMs } = parts;
    const schedule = (): void => this.#schedule();
    // What the lanes send is flushed when they have sent it.
    const scheduleFlush = (): void => {
      if (!this.#isPumping) this.#schedule();
    };
    this.#writer = new LocalWriter(raft, clock, scheduleFlush);
    const { read } = parts;
    this.#reader = new LocalReader({
      raft,
      machine,
      read,
      clock,
      writer: this.#writer,
      schedule: scheduleFlush,
    });
    const common = {
      ready: () => this.#isReady(),
      // What is forwarded meets what other nodes forward, and gathers while it is on its way.
      gathers: () => raft.isLeader(),
      schedule,
      delivered: () => parts.delivered(),
      now: () => performance.now(),
    } satisfies Partial<LaneParts<never>>;
    this.writes = new Lane<WriteOp>({
      ...common,
      send: (ops, bytes) => this.#write(ops, bytes),
      repeatable: false,
      limits: { ...WRITE_LIMITS, timeoutMs },
      failure: writeFailure,
    });
    this.reads = new Lane<ReadOp>({
      ...common,
      send: (ops, bytes) => this.#read(ops, bytes),
      repeatable: true,
      limits: { ...READ_LIMITS, timeoutMs },
      failure: readFailure,
    });
    this.#stopWatching = raft.onLeaderChange((leader) => {
      if (leader === null) this.#lostAt ??= performance.now();
      else this.#leaderChanged(leader);
    });
  }

  /** Serves another node, which asks for its clients. */
  serve(payload: Uint8Array): Promise<Uint8Array> {
    const isLeader = (): boolean => this.#parts.raft.isLeader();
    const maxAnswerBytes = this.#parts.maxMessageBytes - ENVELOPE_BYTES;
    return serveForwarded({ writer: this.#writer, reader: this.#reader, isLeader, maxAnswerBytes }, payload);
  }

  /** Reads what this node can tell by itself without waiting for anything, linearizably. */
  readAtOnce(args: Args): RespValue | typeof NOT_AT_ONCE {
    return this.#reader.readAtOnce(args);
  }

  /** Writes an entry with nothing in it but the time, if this node leads. */
  tick(): Promise<Outcome> {
    return this.#writer.tick();
  }

  /** Answers everything that waits: what was not handed over to Raft yet, as what was not done. */
  async close(): Promise<void> {
    this.#stopWatching();
    clearTimeout(this.#grace);
    const error = new ShutdownError();
    this.#writer.close(error);
    // The lane learns of it first, so that it does not count as unknown.
    await turn();
    // Who is told now, and asks again, is told at the end of a turn.
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    this.#scheduled = null;
    this.writes.close(error);
    this.reads.close(error);
    this.#parts.link.close();
  }

  #isReady(): boolean {
    const leader = this.#parts.raft.leaderId();
    return leader !== null && this.#parts.link.isFreeFor(leader);
  }

  /** The last leader has a moment to answer what it was asked: when it hands over it does, and when it is gone it does not. */
  #leaderChanged(leader: NodeId): void {
    const go = (): void => {
      this.writes.leaderChanged();
      this.reads.leaderChanged();
    };
    const lostAt = this.#lostAt ?? performance.now();
    this.#lostAt = null;
    clearTimeout(this.#grace);
    if (this.#parts.link.isFreeFor(leader)) {
      go();
      return;
    }
    this.#grace = setTimeout(
      () => {
        const next = this.#parts.raft.leaderId();
        if (next !== null && !this.#parts.link.isFreeFor(next)) this.#parts.link.close();
        go();
      },
      Math.max(1, lostAt + GRACE_MS - performance.now()),
    );
  }

  #write(ops: readonly WriteOp[], bytes: number): Promise<Outcome> {
    if (this.#parts.raft.isLeader()) return this.#writer.submit(ops, bytes);
    return this.#forward({ type: "write", ops }, bytes);
  }

  #read(ops: readonly ReadOp[], bytes: number): Promise<Outcome> {
    if (this.#parts.raft.isLeader()) return this.#reader.submit(ops);
    return this.#forwardReads(ops, bytes);
  }

  /** Asks for the rest as long as the answer has not all of it. */
  async #forwardReads(ops: readonly ReadOp[], bytes: number): Promise<Outcome> {
    const outcome = await this.#forward({ type: "read", ops }, bytes);
    if (outcome.type !== "done" || outcome.replies.length === ops.length) return outcome;
    const rest = await this.#read(ops.slice(outcome.replies.length), bytes);
    return rest.type === "done" ? { type: "done", replies: [...outcome.replies, ...rest.replies] } : rest;
  }

  async #forward(request: Parameters<LeaderLink["send"]>[2], bytes: number): Promise<Outcome> {
    const leader = this.#parts.raft.leaderId();
    const address = leader === null ? null : this.#parts.addressOf(leader);
    if (leader === null || address === null)
      return { type: "refused", error: new NotLeaderError(leader, null) };
    return this.#parts.link.send(leader, address, request, bytes);
  }

  /** The end of this turn comes once every socket that had something to read was read. */
  #schedule(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = null;
      this.#isPumping = true;
      try {
        this.writes.pump();
        this.reads.pump();
      } finally {
        this.#isPumping = false;
      }
      this.#writer.flush();
      this.#reader.flush();
    });
  }
}
