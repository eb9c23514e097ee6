import type { EntryPayload, LogEntry, NodeId, Vote } from "@seshat/common";
import { ZERO_LOG_ID, createMembership } from "@seshat/common";
import type { Command, SendAppendEntriesCommand } from "../../src/engine/command.js";
import type { EngineConfig } from "../../src/engine/context.js";
import { Engine } from "../../src/engine/engine.js";
import type { Event } from "../../src/engine/event.js";
import { LogTrail } from "../../src/engine/log-trail.js";
import { formatCommand, formatEvent } from "./format.js";

/** A message on its way between two engines. */
export interface Message {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly kind: "preVote" | "vote" | "append" | "preVoteAnswer" | "voteAnswer" | "appendAnswer";
  /** What the receiving engine gets. */
  readonly event: Event;
}

interface Peer {
  readonly id: NodeId;
  readonly engine: Engine;
  /** The log from index 1 on: what was asked to be appended. */
  readonly log: LogEntry<unknown, unknown>[];
  issued: number;
  persisted: number;
  readonly waiting: { readonly afterIo: number; readonly message: Message }[];
}

/** The entry of `initialize`, which every node has, committed, when a dialogue begins. */
const FOUNDING = { term: 0, index: 1 };

const DIALOGUE_CONFIG: EngineConfig = {
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  heartbeatIntervalMs: 50,
  preVote: true,
  leaseMs: null,
  maxPayloadEntries: 300,
  maxInFlightAppends: 16,
  maxUncommittedEntries: 1000,
  backoffMinMs: 20,
  backoffMaxMs: 100,
  snapshotAfterEntries: null,
  logsToKeep: 1000,
};

/** Settings of the engines that differ from the defaults, and what the nodes begin with. */
export interface DialogueOptions extends Partial<EngineConfig> {
  /** The terms of a node's entries from index 2 on: index 1 is the founding membership. */
  readonly logs?: Readonly<Record<NodeId, readonly number[]>>;
  /** Default: no vote, in the term of the last entry. */
  readonly votes?: Readonly<Record<NodeId, Vote>>;
}

/**
 * Engines of one cluster that talk to each other through the hands of a test: it decides which message arrives, when a disk
 * is done and when time passes. Everything that is said is kept as text, one event or command a line.
 */
export class Dialogue {
  readonly #peers = new Map<NodeId, Peer>();
  readonly #lines: string[] = [];
  readonly #origins = new Map<
    number,
    { readonly from: NodeId; readonly answer: (command: Command) => Message | null }
  >();
  #lastRpc = 0;
  /** Messages that were sent and have not arrived, oldest first. */
  readonly wire: Message[] = [];
  #quiet = false;
  now = 0;

  /** @param timeouts where in the range each node's election timeouts fall, 0 to below 1. */
  constructor(timeouts: Readonly<Record<NodeId, number>>, options: DialogueOptions = {}) {
    const { logs = {}, votes = {}, ...config } = options;
    const ids = Object.keys(timeouts).map(Number);
    const membership = createMembership(
      [ids],
      ids.map((id) => [id, { addr: `n${id}` }]),
    );
    for (const id of ids) {
      const timeout = timeouts[id] as number;
      const terms = logs[id] ?? [];
      const trail = new LogTrail(ZERO_LOG_ID, FOUNDING, [
        { term: FOUNDING.term, firstIndex: FOUNDING.index },
      ]);
      const log: LogEntry<unknown, unknown>[] = [
        { logId: FOUNDING, payload: { type: "membership", membership } },
      ];
      for (const term of terms) {
        log.push({ logId: { term, index: log.length + 1 }, payload: { type: "normal", data: null } });
        trail.extend(term, log.length);
      }
      const vote = votes[id] ?? { term: terms.at(-1) ?? 0, votedFor: null, committed: false };
      const engine = new Engine(
        {
          id,
          vote,
          log: trail,
          memberships: [{ logId: FOUNDING, membership }],
          snapshot: ZERO_LOG_ID,
          applied: FOUNDING,
          committed: FOUNDING,
        },
        { config: { ...DIALOGUE_CONFIG, ...config }, random: () => timeout, checkInvariants: true },
        0,
      );
      this.#peers.set(id, { id, engine, log, issued: 0, persisted: 0, waiting: [] });
    }
  }

  /** Everything said so far. */
  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  /** The engine of a node, to look at. */
  engine(id: NodeId): Engine {
    return this.#peer(id).engine;
  }

  /** A heading in the text. */
  note(text: string): void {
    this.#lines.push("", `# ${text}`);
  }

  /** Does something that is not worth reading. */
  quietly(work: () => void): void {
    this.#quiet = true;
    work();
    this.#quiet = false;
  }

  /** Lets something happen to a node. */
  step(id: NodeId, event: Event): void {
    const peer = this.#peer(id);
    this.#say(`n${id} < ${formatEvent(event)}`);
    for (const command of peer.engine.step(event, this.now)) {
      this.#say(`n${id} >   ${formatCommand(command)}`);
      this.#execute(peer, command);
    }
  }

  /** Lets a node's clock be looked at, `ms` milliseconds later. */
  tick(id: NodeId, ms: number): void {
    this.now += ms;
    this.step(id, { type: "timer" });
  }

  /** Makes everything that a node wrote durable. */
  persist(id: NodeId): void {
    const peer = this.#peer(id);
    if (peer.persisted === peer.issued) return;
    peer.persisted = peer.issued;
    this.step(id, { type: "persisted", ioSeq: peer.issued });
    while (peer.waiting[0] !== undefined && peer.waiting[0].afterIo <= peer.persisted) {
      this.wire.push((peer.waiting.shift() as { message: Message }).message);
    }
  }

  /** Reads through a node. */
  read(id: NodeId, requestId: number, policy: "readIndex" | "lease" = "readIndex"): void {
    this.step(id, { type: "readIndex", requestId, policy, forwarded: false });
  }

  /** Writes through a node: `count` commands. */
  write(id: NodeId, count = 1): void {
    const payloads: EntryPayload<unknown, unknown>[] = Array.from({ length: count }, () => ({
      type: "normal",
      data: null,
    }));
    this.step(id, { type: "clientWrite", payloads });
  }

  /** Lets the messages arrive that `which` picks, in the order in which they were sent. */
  deliver(which: (message: Message) => boolean = () => true): void {
    for (const message of this.#take(which)) this.step(message.to, message.event);
  }

  /** Loses the messages that `which` picks. */
  lose(which: (message: Message) => boolean = () => true): void {
    const lost = this.#take(which);
    if (lost.length > 0)
      this.#say(`   x lost: ${lost.map(({ kind, from, to }) => `${kind} n${from}->n${to}`).join(", ")}`);
  }

  /** Delivers and persists until nothing is left to happen between `ids`; messages to others are lost. */
  settle(ids: readonly NodeId[] = [...this.#peers.keys()]): void {
    const among = ({ from, to }: Message): boolean => ids.includes(from) && ids.includes(to);
    do {
      for (const id of ids) this.persist(id);
      this.deliver(among);
    } while (this.wire.some(among) || ids.some((id) => this.#peer(id).persisted < this.#peer(id).issued));
    this.wire.length = 0;
  }

  #take(which: (message: Message) => boolean): Message[] {
    const taken = this.wire.filter(which);
    const left = this.wire.filter((message) => !taken.includes(message));
    this.wire.splice(0, this.wire.length, ...left);
    return taken;
  }

  #execute(peer: Peer, command: Command): void {
    switch (command.type) {
      case "saveVote":
      case "purge":
        peer.issued = command.ioSeq;
        return;
      case "append":
        peer.issued = command.ioSeq;
        peer.log.push(...command.entries);
        return;
      case "truncate":
        peer.issued = command.ioSeq;
        peer.log.length = command.since - 1;
        return;
      case "apply":
        this.step(peer.id, { type: "applied", logId: peer.engine.state.log.at(command.upto) });
        return;
      case "sendPreVote":
        this.#send(
          peer,
          command.to,
          "preVote",
          0,
          (rpcId) => ({ type: "preVoteRequest", rpcId, request: command.request }),
          (answer) =>
            answer.type === "answerPreVote"
              ? {
                  from: command.to,
                  to: peer.id,
                  kind: "preVoteAnswer",
                  event: {
                    type: "preVoteResponse",
                    from: command.to,
                    requestTerm: command.request.term,
                    response: answer.response,
                  },
                }
              : null,
        );
        return;
      case "sendVote":
        this.#send(
          peer,
          command.to,
          "vote",
          command.afterIo,
          (rpcId) => ({ type: "voteRequest", rpcId, request: command.request }),
          (answer) =>
            answer.type === "answerVote"
              ? {
                  from: command.to,
                  to: peer.id,
                  kind: "voteAnswer",
                  event: {
                    type: "voteResponse",
                    from: command.to,
                    requestTerm: command.request.term,
                    response: answer.response,
                  },
                }
              : null,
        );
        return;
      case "sendAppendEntries":
        this.#sendAppend(peer, command);
        return;
      case "answerPreVote":
      case "answerVote":
      case "answerAppendEntries": {
        const message = this.#origins.get(command.rpcId)?.answer(command);
        if (message !== null && message !== undefined) this.#post(peer, command.afterIo, message);
        break;
      }
      default:
      // Nothing that another node, or a disk, hears of.
    }
  }

  #sendAppend(peer: Peer, command: SendAppendEntriesCommand): void {
    const { to, seq, term, prevLogId, leaderCommit } = command;
    const entries = peer.log.slice(prevLogId.index, command.upto);
    const request = { term, leaderId: peer.id, prevLogId, entries, leaderCommit };
    this.#send(
      peer,
      to,
      "append",
      0,
      (rpcId) => ({ type: "appendEntriesRequest", rpcId, request }),
      (answer) =>
        answer.type === "answerAppendEntries"
          ? {
              from: to,
              to: peer.id,
              kind: "appendAnswer",
              event: {
                type: "appendEntriesResponse",
                from: to,
                requestTerm: term,
                seq,
                response: answer.response,
              },
            }
          : null,
    );
  }

  #send(
    peer: Peer,
    to: NodeId,
    kind: Message["kind"],
    afterIo: number,
    makeEvent: (rpcId: number) => Event,
    answer: (command: Command) => Message | null,
  ): void {
    this.#lastRpc += 1;
    this.#origins.set(this.#lastRpc, { from: peer.id, answer });
    this.#post(peer, afterIo, { from: peer.id, to, kind, event: makeEvent(this.#lastRpc) });
  }

  #post(peer: Peer, afterIo: number, message: Message): void {
    if (afterIo <= peer.persisted) this.wire.push(message);
    else peer.waiting.push({ afterIo, message });
  }

  #peer(id: NodeId): Peer {
    const peer = this.#peers.get(id);
    if (peer === undefined) throw new Error(`there is no node ${id} in this dialogue`);
    return peer;
  }

  #say(line: string): void {
    if (!this.#quiet) this.#lines.push(line);
  }
}
