import type { NodeId, StoredMembership } from "@seshat/common";
import { equalLogIds, voterIds } from "@seshat/common";
import type { Event, ReadPolicy } from "../../src/engine/event.js";
import type { EngineState } from "../../src/engine/state.js";
import { Disk, EMPTY_MACHINE } from "./disk.js";
import type { Machine } from "./disk.js";
import { execute } from "./execute.js";
import { Life, lastMembership } from "./life.js";
import type { OpenRead, Question } from "./life.js";
import type { Message } from "./network.js";
import type { ObservedNode } from "./oracle.js";
import { must } from "./must.js";
import { isMeant } from "./post.js";
import { endInstall, endSending, goOn, installOn, nextResend, resendParts } from "./snapshots.js";
import { mustSettle, nextOverdue, overdue } from "./waiting.js";
import { applySome, buildOn, persistSome } from "./work.js";
import type { World } from "./world.js";

/** The first store of a node: apart from those of every other one, and those to come. */
export function firstStore(id: NodeId): number {
  return id * 1000 + 1;
}

/** What a node runs on: a disk, and an engine while it is up. Carries out commands late, in pieces, or never when it crashes first. */
export class Host implements ObservedNode {
  readonly id: NodeId;
  protected readonly world: World;
  #disk: Disk;
  protected life: Life | null = null;
  #requestId = 0;
  readonly #lostDisks: Disk[] = [];

  constructor(id: NodeId, world: World) {
    this.id = id;
    this.world = world;
    this.#disk = new Disk(world.hosts.tellStoresApart ? firstStore(id) : 0);
  }

  get disk(): Disk {
    return this.#disk;
  }

  get lostDisks(): readonly Disk[] {
    return this.#lostDisks;
  }

  /** How often it lost its disk. */
  get wipes(): number {
    return this.#lostDisks.length;
  }

  get up(): boolean {
    return this.life !== null;
  }

  get hangs(): boolean {
    return this.life?.hangs === true;
  }

  get state(): Readonly<EngineState> | null {
    return this.life?.engine.state ?? null;
  }

  get machine(): Machine {
    return this.life?.machine ?? EMPTY_MACHINE;
  }

  /** Nothing waits for the disk or the state machine. */
  get idle(): boolean {
    const { life } = this;
    if (life === null) return true;
    const { pending, machine, dispatched, building, complete } = life;
    return (
      pending.length === 0 && machine.applied.index === dispatched && building === null && complete === null
    );
  }

  /** Reads that were asked for and neither served nor refused. */
  get openReads(): number {
    return this.life?.reads.size ?? 0;
  }

  /** What was asked for and is not answered. */
  get openQuestions(): readonly Question[] {
    return [...(this.life?.questions.values() ?? [])];
  }

  /** When `tick` next has something to do, by this node's clock. */
  get deadline(): number {
    const { life } = this;
    if (life === null) return Number.POSITIVE_INFINITY;
    return Math.min(life.engine.nextDeadline(), nextResend(life), nextOverdue(life));
  }

  membership(): StoredMembership<unknown> {
    return this.life?.membership() ?? lastMembership(this.#disk.log, this.#disk.snapshot);
  }

  start(): void {
    const life = new Life(this.id, this.#disk, this.world);
    this.life = life;
    const before = { committed: this.#disk.machine.applied.index, ledTerm: null };
    this.world.oracle.observe(this, before, this.world.nodes());
    for (const command of life.engine.resume()) execute(life, command);
  }

  /** Loses everything that is not durable. Of the writes on their way some made it: a prefix, perhaps half an append. */
  crash(): void {
    const { life } = this;
    if (life === null) return;
    const { random, sabotage, oracle } = this.world;
    if (life.complete?.step === "installed") oracle.count("interruptedInstalls");
    const disk = this.#disk;
    const kept = random.integer(0, life.pending.length);
    for (const write of life.pending.slice(0, kept)) disk.perform(write);
    const torn = life.pending[kept];
    if (torn?.type === "append") disk.perform(torn, random.integer(0, torn.entries.length - 1));
    if (sabotage === "forgetsVote") disk.vote = { ...disk.vote, votedFor: null, committed: false };
    if (sabotage === "losesEntries") {
      disk.log.truncate(Math.max(disk.machine.applied.index + 1, disk.log.purged.index + 1, 3));
    }
    this.life = null;
  }

  /** Loses everything for good, and comes back with an empty store. */
  wipe(): void {
    this.life = null;
    this.#lostDisks.push(this.#disk);
    this.#disk = new Disk(this.#disk.incarnation + 1);
    this.start();
  }

  step(event: Event): void {
    const { life } = this;
    if (life === null) return;
    const { committed, role, vote } = life.engine.state;
    const before = { committed: committed.index, ledTerm: role.type === "leader" ? vote.term : null };
    const commands = life.engine.step(event, life.now);
    this.world.oracle.observe(this, before, this.world.nodes());
    for (const command of commands) execute(life, command);
    mustSettle(life);
    must(
      equalLogIds(life.engine.state.log.last, life.log.last),
      `node ${this.id} lost track of where its log ends`,
    );
  }

  receive(message: Message): void {
    const { life } = this;
    if (life === null || !isMeant(life, message)) return;
    if (message.type === "response") {
      const { event } = message;
      if (event.type === "partsTaken") return goOn(life, message.from, event);
      if (event.type === "appendEntriesResponse") life.unanswered.delete(event.seq);
      if (event.type === "timeoutNowAnswered") life.unansweredTimeoutNow = null;
      if (event.type === "installSnapshotResponse") endSending(life, message.from, event.seq);
      if (event.type === "readIndexAnswered" && !life.reads.has(event.requestId)) return;
      return this.step(event);
    }
    const { request } = message;
    if (request.type === "readIndex") {
      return this.serveRead(request.policy, { address: message, requestId: request.requestId });
    }
    const rpcId = ++life.rpcs;
    life.requests.set(rpcId, { address: message, request });
    switch (request.type) {
      case "appendEntries":
        return this.step({ type: "appendEntriesRequest", rpcId, request: request.body });
      case "vote":
        return this.step({ type: "voteRequest", rpcId, request: request.body });
      case "preVote":
        return this.step({ type: "preVoteRequest", rpcId, request: request.body });
      case "timeoutNow":
        return this.step({ type: "timeoutNowRequest", rpcId, request: request.body });
      case "installSnapshot": {
        const { term, leaderId, copy } = request.body;
        return this.step({ type: "installSnapshotRequest", rpcId, term, leaderId, meta: copy.meta });
      }
      default:
        return request satisfies never;
    }
  }

  /** Makes the first `count` writes durable. */
  persist(count: number): void {
    this.#work((life) => persistSome(life, count));
  }

  /** Applies up to `count` entries. */
  apply(count: number): void {
    this.#work((life) => applySome(life, count));
  }

  /** Captures the state that a snapshot is to hold, or keeps the snapshot. */
  buildSnapshot(): void {
    this.#work(buildOn);
  }

  /** Goes one step on with a snapshot that came. */
  install(): void {
    this.#work(installOn);
    if (this.life?.complete?.told === true) endInstall(this.life);
  }

  #work(work: (life: Life) => Event | null): void {
    const event = this.life === null ? null : work(this.life);
    if (event !== null) this.step(event);
  }

  /** Reports the timer if it is due, and gives up requests that wait for too long. */
  tick(): void {
    const { life } = this;
    if (life === null) return;
    for (const event of overdue(life)) this.step(event);
    for (const event of resendParts(life)) this.step(event);
    if (life.engine.nextDeadline() <= life.now) this.step({ type: "timer" });
    if (life.engine.hasNews()) this.step({ type: "tellCommit" });
  }
  protected ask(question: Question, makeEvent: (requestId: number) => Event): void {
    const { life } = this;
    if (life === null) return;
    const requestId = ++this.#requestId;
    life.questions.set(requestId, question);
    this.step(makeEvent(requestId));
  }

  protected serveRead(policy: ReadPolicy, askedBy: OpenRead["askedBy"]): void {
    const { life } = this;
    if (life === null) return;
    const { oracle } = this.world;
    const requestId = ++this.#requestId;
    const servedBefore = oracle.readsServed;
    life.reads.set(requestId, { floor: oracle.committedIndex, askedBy, askedAt: null });
    this.step({ type: "readIndex", requestId, policy, forwarded: askedBy !== null });
    const alone = voterIds(this.membership().membership).length === 1;
    if (policy === "lease" && !alone && oracle.readsServed > servedBefore) oracle.count("leaseReads");
  }
}
