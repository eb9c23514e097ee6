import type { EntryPayload, Membership, NodeId } from "@seshat/common";
import { equalLogIds, voterIds } from "@seshat/common";
import type { Event, ReadPolicy } from "../../src/engine/event.js";
import type { EngineState } from "../../src/engine/state.js";
import { Disk, EMPTY_MACHINE } from "./disk.js";
import type { Machine } from "./disk.js";
import { execute } from "./execute.js";
import { Life } from "./life.js";
import type { OpenRead, World } from "./life.js";
import type { Message } from "./network.js";
import type { ObservedNode } from "./oracle.js";
import { must } from "./oracle.js";

/** How long a request may stay without an answer before its sender gives it up. */
const RPC_TIMEOUT_MS = 150;

/** A node: a disk, and an engine while it is up. Carries out commands late, in pieces, or never when it crashes first. */
export class SimNode implements ObservedNode {
  readonly id: NodeId;
  readonly disk = new Disk();
  readonly #world: World;
  #life: Life | null = null;
  #requestId = 0;

  constructor(id: NodeId, world: World) {
    this.id = id;
    this.#world = world;
  }

  get up(): boolean {
    return this.#life !== null;
  }

  get state(): Readonly<EngineState> | null {
    return this.#life?.engine.state ?? null;
  }

  get machine(): Machine {
    return this.#life?.machine ?? EMPTY_MACHINE;
  }

  /** Nothing waits for the disk or the state machine. */
  get idle(): boolean {
    const life = this.#life;
    return life === null || (life.pending.length === 0 && life.machine.applied.index === life.dispatched);
  }

  /** Reads that were asked for and neither served nor refused. */
  get openReads(): number {
    return this.#life?.reads.size ?? 0;
  }

  /** When `tick` next has something to do, by this node's clock. */
  get deadline(): number {
    const life = this.#life;
    if (life === null) return Number.POSITIVE_INFINITY;
    let earliest = life.engine.nextDeadline();
    for (const { sentAt } of life.unanswered.values()) earliest = Math.min(earliest, sentAt + RPC_TIMEOUT_MS);
    for (const { askedAt } of life.reads.values()) {
      if (askedAt !== null) earliest = Math.min(earliest, askedAt + RPC_TIMEOUT_MS);
    }
    return earliest;
  }

  membership(): Membership<unknown> {
    const entries = this.#life?.log.entries() ?? this.disk.log.entries();
    const found = entries.findLast(({ payload }) => payload.type === "membership")?.payload;
    return found?.type === "membership" ? found.membership : this.disk.snapshot.membership.membership;
  }

  start(): void {
    const life = new Life(this.id, this.disk, this.#world);
    this.#life = life;
    this.#world.oracle.observe(this, this.disk.snapshot.applied.index, this.#world.nodes());
    for (const command of life.engine.resume()) execute(life, command);
  }

  /** Loses everything that is not durable. Of the writes on their way some made it: a prefix, perhaps half an append. */
  crash(): void {
    const life = this.#life;
    if (life === null) return;
    const { random, sabotage } = this.#world;
    const kept = random.integer(0, life.pending.length);
    for (const write of life.pending.slice(0, kept)) this.disk.perform(write);
    const torn = life.pending[kept];
    if (torn?.type === "append") this.disk.perform(torn, random.integer(0, torn.entries.length - 1));
    if (sabotage === "forgetsVote") this.disk.vote = { ...this.disk.vote, votedFor: null, committed: false };
    if (sabotage === "losesEntries")
      this.disk.log.truncate(Math.max(this.disk.snapshot.applied.index + 1, 3));
    this.#life = null;
  }

  step(event: Event): void {
    const life = this.#life;
    if (life === null) return;
    const committedBefore = life.engine.state.committed.index;
    const commands = life.engine.step(event, life.now);
    this.#world.oracle.observe(this, committedBefore, this.#world.nodes());
    for (const command of commands) execute(life, command);
    mustSettle(life);
    must(
      equalLogIds(life.engine.state.log.last, life.log.last),
      `node ${this.id} lost track of where its log ends`,
    );
  }

  receive(message: Message): void {
    const life = this.#life;
    if (life === null) return;
    if (message.type === "response") {
      const { event } = message;
      if (event.type === "appendEntriesResponse") life.unanswered.delete(event.seq);
      if (event.type === "readIndexAnswered" && !life.reads.has(event.requestId)) return;
      this.step(event);
      return;
    }
    if (message.request.type === "readIndex") {
      const { requestId, policy } = message.request;
      this.#read(policy, { from: message.from, requestId });
      return;
    }
    const rpcId = ++life.rpcs;
    life.requests.set(rpcId, { from: message.from, request: message.request });
    const { request } = message;
    if (request.type === "appendEntries") {
      this.step({ type: "appendEntriesRequest", rpcId, request: request.body });
    } else if (request.type === "vote") this.step({ type: "voteRequest", rpcId, request: request.body });
    else this.step({ type: "preVoteRequest", rpcId, request: request.body });
  }

  /** Makes the first `count` writes durable. */
  persist(count: number): void {
    const life = this.#life;
    if (life === null || life.pending.length === 0) return;
    let ioSeq = 0;
    for (const write of life.pending.splice(0, count)) {
      this.disk.perform(write);
      if (write.type !== "saveCommitted") ioSeq = write.ioSeq;
    }
    if (ioSeq === 0) return;
    life.persisted = ioSeq;
    while ((life.gate[0]?.afterIo ?? Number.POSITIVE_INFINITY) <= ioSeq) life.gate.shift()?.release();
    this.step({ type: "persisted", ioSeq });
  }

  /** Applies up to `count` entries. */
  apply(count: number): void {
    const life = this.#life;
    if (life === null) return;
    const upto = Math.min(life.dispatched, life.machine.applied.index + count);
    if (upto === life.machine.applied.index) return;
    for (const { logId, payload } of life.log.slice(life.machine.applied.index + 1, upto)) {
      const text = payload.type === "normal" ? String(payload.data) : payload.type;
      let { hash } = life.machine;
      for (const char of `${logId.term}-${text}`) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
      const membership =
        payload.type === "membership" ? { logId, membership: payload.membership } : life.machine.membership;
      life.machine = { applied: logId, hash, membership };
      this.#world.oracle.applied(logId, hash);
    }
    this.step({ type: "applied", logId: life.machine.applied });
  }

  buildSnapshot(): void {
    const life = this.#life;
    if (life === null || !life.building) return;
    life.building = false;
    this.disk.snapshot = life.machine;
    this.step({ type: "snapshotBuilt", lastLogId: life.machine.applied });
  }

  initialize(membership: Membership): void {
    this.step({ type: "initialize", requestId: ++this.#requestId, membership });
  }

  write(payloads: readonly EntryPayload<unknown, unknown>[]): void {
    const life = this.#life;
    if (life === null) return;
    life.writing = payloads;
    this.step({ type: "clientWrite", payloads });
  }

  takeSnapshot(): void {
    this.step({ type: "takeSnapshot", requestId: ++this.#requestId });
  }

  read(policy: ReadPolicy = "readIndex"): void {
    this.#read(policy, null);
  }

  #read(policy: ReadPolicy, askedBy: OpenRead["askedBy"]): void {
    const life = this.#life;
    if (life === null) return;
    const { oracle } = this.#world;
    const requestId = ++this.#requestId;
    const servedBefore = oracle.readsServed;
    life.reads.set(requestId, { floor: oracle.committedIndex, askedBy, askedAt: null });
    this.step({ type: "readIndex", requestId, policy, forwarded: askedBy !== null });
    const alone = voterIds(this.membership()).length === 1;
    if (policy === "lease" && !alone && oracle.readsServed > servedBefore) oracle.leaseReadReady();
  }

  /** Reports the timer if it is due, and gives up requests that wait for too long. */
  tick(): void {
    const life = this.#life;
    if (life === null) return;
    for (const [seq, { to, term, sentAt }] of life.unanswered) {
      if (life.now - sentAt < RPC_TIMEOUT_MS) continue;
      life.unanswered.delete(seq);
      this.step({ type: "appendEntriesFailed", from: to, requestTerm: term, seq });
    }
    for (const [requestId, { askedAt }] of life.reads) {
      if (askedAt === null || life.now - askedAt < RPC_TIMEOUT_MS) continue;
      this.step({ type: "readIndexAnswered", requestId, readIndex: null });
    }
    if (life.engine.nextDeadline() <= life.now) this.step({ type: "timer" });
  }
}

/** Writes wait only for what will come: who leads no longer must have given up all that it does not know to be committed. */
function mustSettle({ id, engine, waiting }: Life): void {
  const { role, committed } = engine.state;
  if (role.type === "leader") return;
  for (const index of waiting) {
    must(index <= committed.index, `node ${id} leaves the write at ${index} without an outcome`);
  }
}
