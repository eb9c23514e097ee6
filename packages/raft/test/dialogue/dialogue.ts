import type { EntryPayload, LogEntry, NodeId, SnapshotMeta, Vote } from "@seshat/common";
import { BLANK_PAYLOAD, ZERO_LOG_ID, createMembership, formatLogId } from "@seshat/common";
import type { Command, SendSnapshotCommand } from "../../src/engine/command.js";
import type { EngineConfig } from "../../src/engine/context.js";
import { DEFAULT_SWITCHES } from "../../src/engine/context.js";
import { Engine } from "../../src/engine/engine.js";
import type { EngineSwitches, Event, MembershipChange } from "../../src/engine/event.js";
import { LogTrail } from "../../src/engine/log-trail.js";
import { committedMembership } from "../../src/engine/membership-state.js";
import { formatCommand, formatEvent } from "./format.js";
import type { Asking, Kind } from "./question.js";
import { question } from "./question.js";

/** A message on its way between two engines. */
export interface Message {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly kind: Kind | `${Kind}Answer`;
  /** What happens where it arrives. */
  readonly arrive: () => void;
}

interface Peer {
  readonly id: NodeId;
  readonly engine: Engine;
  /** The log from index 1 on: what was asked to be appended. */
  readonly log: LogEntry<unknown, unknown>[];
  issued: number;
  persisted: number;
  readonly waiting: { readonly afterIo: number; readonly message: Message }[];
  /** The newest snapshot, built or installed. */
  snapshot: SnapshotMeta<unknown> | null;
  /** The one that comes, and how many of its parts are there. */
  incoming: { readonly meta: SnapshotMeta<unknown>; parts: number } | null;
}

/** A snapshot on its way. */
interface Sending {
  readonly command: SendSnapshotCommand;
  readonly meta: SnapshotMeta<unknown>;
  /** The next one to send. */
  part: number;
}

/** What becomes of a question that arrived. */
interface Origin {
  readonly answered: (answer: Command) => Message | null;
  /** For a part of a snapshot that is taken. */
  readonly taken: ((afterIo: number) => void) | null;
}

/** Every snapshot comes in so many parts. */
const PARTS = 2;

/** The entry of `initialize`, which every node has, committed, when a dialogue begins. */
const FOUNDING = { term: 0, index: 1 };

const DIALOGUE_CONFIG: EngineConfig = {
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  heartbeatIntervalMs: 50,
  leaseMs: null,
  thriftyDelayMs: 0,
  maxPayloadEntries: 300,
  maxInFlightAppends: 16,
  maxUncommittedEntries: 1000,
  backoffMinMs: 20,
  backoffMaxMs: 100,
  logsToKeep: 1000,
  logsToKeepForFollowers: 0,
  lagThreshold: 10,
};

/** Settings of the engines that differ from the defaults, and what the nodes begin with. */
export interface DialogueOptions extends Partial<EngineConfig> {
  /** The terms of a node's entries from index 2 on: index 1 is the founding membership. */
  readonly logs?: Readonly<Record<NodeId, readonly number[]>>;
  /** Default: no vote, in the term of the last entry. */
  readonly votes?: Readonly<Record<NodeId, Vote>>;
  /** Default: all; the others are learners. */
  readonly voters?: readonly NodeId[];
  readonly switches?: Partial<EngineSwitches>;
}

/**
 * Engines of one cluster that talk to each other through the hands of a test: it decides which message arrives, when a disk
 * is done and when time passes. Everything that is said is kept as text, one event or command a line.
 */
export class Dialogue {
  readonly #peers = new Map<NodeId, Peer>();
  readonly #lines: string[] = [];
  readonly #origins = new Map<number, Origin>();
  /** Snapshots on their way, by "from to". */
  readonly #sending = new Map<string, Sending>();
  #lastRpc = 0;
  /** Messages that were sent and have not arrived, oldest first. */
  readonly wire: Message[] = [];
  #quiet = false;
  now = 0;

  /** @param timeouts where in the range each node's election timeouts fall, 0 to below 1. */
  constructor(timeouts: Readonly<Record<NodeId, number>>, options: DialogueOptions = {}) {
    const { logs = {}, votes = {}, voters, switches, ...config } = options;
    const ids = Object.keys(timeouts).map(Number);
    const membership = createMembership(
      [voters ?? ids],
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
          incarnation: 0,
          vote,
          log: trail,
          memberships: [{ logId: FOUNDING, membership }],
          snapshot: ZERO_LOG_ID,
          applied: FOUNDING,
          committed: FOUNDING,
        },
        {
          config: { ...DIALOGUE_CONFIG, ...config },
          switches: { ...DEFAULT_SWITCHES, ...switches },
          random: () => timeout,
          checkInvariants: true,
        },
        0,
      );
      this.#peers.set(id, {
        id,
        engine,
        log,
        issued: 0,
        persisted: 0,
        waiting: [],
        snapshot: null,
        incoming: null,
      });
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
    // Nothing else comes before the next step.
    if (peer.engine.hasNews()) this.step(id, { type: "tellCommit" });
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

  /** Asks a node to change the membership. */
  change(id: NodeId, requestId: number, change: MembershipChange<unknown>): void {
    this.step(id, { type: "changeMembership", requestId, change, retain: false, allowLagging: false });
  }

  /** Ends the install of the snapshot that a node has received. */
  installed(id: NodeId): void {
    const peer = this.#peer(id);
    const meta = peer.incoming?.meta;
    if (meta === undefined) throw new Error(`node ${id} installs no snapshot`);
    peer.incoming = null;
    peer.snapshot = meta;
    const { lastLogId, lastMembership } = meta;
    this.step(id, { type: "snapshotInstalled", lastLogId, lastMembership, installed: true });
  }

  /** A node sends `to` the next part of its snapshot again, or asks whether it is installed. */
  sendPart(from: NodeId, to: NodeId): void {
    const sending = this.#sending.get(`${from} ${to}`);
    if (sending === undefined) throw new Error(`node ${from} sends no snapshot to ${to}`);
    this.#sendPart(this.#peer(from), sending);
  }

  /** Lets the messages arrive that `which` picks, in the order in which they were sent. */
  deliver(which: (message: Message) => boolean = () => true): void {
    for (const message of this.#take(which)) message.arrive();
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
        peer.issued = command.ioSeq;
        return;
      case "purge":
        peer.issued = command.ioSeq;
        // What an installed snapshot stands for was never here.
        while (peer.log.length < command.upto.index)
          peer.log.push({ logId: command.upto, payload: BLANK_PAYLOAD });
        return;
      case "append":
        peer.issued = command.ioSeq;
        peer.log.push(...command.entries);
        return;
      case "truncate":
        peer.issued = command.ioSeq;
        peer.log.length = command.since - 1;
        return;
      case "apply": {
        const logId = peer.engine.state.log.at(command.upto);
        this.step(peer.id, { type: "applied", logId, bytes: 0 });
        return;
      }
      case "buildSnapshot": {
        const { state } = peer.engine;
        const lastLogId = state.applied;
        const snapshotId = formatLogId(lastLogId);
        peer.snapshot = { lastLogId, lastMembership: committedMembership(state), snapshotId };
        this.step(peer.id, { type: "snapshotBuilt", lastLogId });
        return;
      }
      case "sendPreVote":
      case "sendVote":
      case "sendAppendEntries":
      case "sendTimeoutNow":
        this.#ask(peer, command);
        return;
      case "sendSnapshot": {
        const sending = { command, meta: peer.snapshot as SnapshotMeta<unknown>, part: 0 };
        this.#sending.set(`${peer.id} ${command.to}`, sending);
        this.#sendPart(peer, sending);
        return;
      }
      case "receiveSnapshot":
        this.#origins.get(command.rpcId)?.taken?.(command.afterIo);
        return;
      case "answerPreVote":
      case "answerVote":
      case "answerAppendEntries":
      case "answerInstallSnapshot":
      case "answerTimeoutNow": {
        const message = this.#origins.get(command.rpcId)?.answered(command);
        if (message !== null && message !== undefined) this.#post(peer, command.afterIo, message);
        break;
      }
      default:
      // Nothing that another node, or a disk, hears of.
    }
  }

  #ask(peer: Peer, command: Asking): void {
    const { id: from } = peer;
    const { to } = command;
    const { kind, afterIo, asked, answered } = question(from, command, peer.log);
    const rpcId = ++this.#lastRpc;
    this.#origins.set(rpcId, {
      answered: (answer) => {
        const event = answered(answer);
        const arrive = (): void => this.step(from, event as Event);
        return event === null ? null : { from: to, to: from, kind: `${kind}Answer`, arrive };
      },
      taken: null,
    });
    this.#post(peer, afterIo, { from, to, kind, arrive: () => this.step(to, asked(rpcId)) });
  }

  /** The next part of a snapshot; or, when all is there, none, to ask whether it is installed. */
  #sendPart(peer: Peer, sending: Sending): void {
    const { command, meta, part } = sending;
    const { to, term, seq } = command;
    const { id: from } = peer;
    const rpcId = ++this.#lastRpc;
    const back = (arrive: () => void): Message => ({ from: to, to: from, kind: "snapshotAnswer", arrive });
    this.#origins.set(rpcId, {
      answered: (answer) => {
        if (answer.type !== "answerInstallSnapshot" || answer.response.type === "progress") return null;
        const { response } = answer;
        const { lastLogId } = meta;
        const event = {
          type: "installSnapshotResponse",
          from: to,
          requestTerm: term,
          seq,
          lastLogId,
          response,
          incarnation: 0,
        };
        return back(() => this.step(from, event as Event));
      },
      taken: (afterIo) => {
        const receiver = this.#peer(to);
        receiver.incoming ??= { meta, parts: 0 };
        const { incoming } = receiver;
        const grows = part === incoming.parts && part < PARTS;
        if (grows) incoming.parts += 1;
        this.#post(
          receiver,
          afterIo,
          back(() => {
            this.#say(`n${from} . n${to} has ${incoming.parts} of ${PARTS} parts`);
            const moved = incoming.parts > sending.part;
            sending.part = incoming.parts;
            if (moved && sending.part < PARTS) this.#sendPart(peer, sending);
          }),
        );
        if (grows && incoming.parts === PARTS)
          this.step(to, { type: "snapshotReceived", meta, requestId: null });
      },
    });
    this.#post(peer, 0, {
      from,
      to,
      kind: "snapshot",
      arrive: () => this.step(to, { type: "installSnapshotRequest", rpcId, term, leaderId: from, meta }),
    });
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
