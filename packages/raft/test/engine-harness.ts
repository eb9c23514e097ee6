import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  BasicNode,
  EntryPayload,
  LogEntry,
  LogId,
  Membership,
  MembershipDetails,
  NodeId,
  SnapshotMeta,
  StorageVerb,
  StoredMembership,
  Vote,
} from "@seshat/common";
import { EMPTY_MEMBERSHIP, ZERO_LOG_ID, createMembership } from "@seshat/common";
import type { Command, SendAppendEntriesCommand, SendSnapshotCommand } from "../src/engine/command.js";
import type { Context, EngineConfig } from "../src/engine/context.js";
import { DEFAULT_SWITCHES } from "../src/engine/context.js";
import { Engine } from "../src/engine/engine.js";
import type {
  ChangeMembershipEvent,
  EngineSwitches,
  Event,
  MembershipChange,
  ReadPolicy,
} from "../src/engine/event.js";
import { LogTrail } from "../src/engine/log-trail.js";
import type { TermRange } from "../src/engine/log-trail.js";
import type { Progress } from "../src/engine/progress.js";
import type { EngineState, LeaderRole } from "../src/engine/state.js";

/** One engine on scripted time and scripted randomness, with its invariants checked after every step. */

/** Small numbers, so that windows and limits are reached by hand. */
export const TEST_CONFIG: EngineConfig = {
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  heartbeatIntervalMs: 50,
  leaseMs: null,
  thriftyDelayMs: 0,
  maxPayloadEntries: 3,
  maxInFlightAppends: 2,
  maxUncommittedEntries: 1000,
  backoffMinMs: 20,
  backoffMaxMs: 100,
  logsToKeep: 0,
  logsToKeepForFollowers: 0,
  lagThreshold: 2,
};

/** Far more commands than an election and its blank entry take. */
const COMMANDS_TO_SETTLE = 1000;

export function id(term: number, index: number): LogId {
  return { term, index };
}

/** Nodes 1 to `highest`, those in no config as learners. */
export function memberships(
  configs: readonly (readonly NodeId[])[],
  highest: number = Math.max(...configs.flat()),
  details: MembershipDetails = {},
): Membership {
  const nodes = Array.from({ length: highest }, (_, i): [NodeId, BasicNode] => [
    i + 1,
    { addr: `10.0.0.${i + 1}:7000` },
  ]);
  return createMembership(configs, nodes, details);
}

export function voters(...ids: readonly NodeId[]): Membership {
  return memberships([ids]);
}

/** These nodes and no others, each a voter. */
export function members(...ids: readonly NodeId[]): Membership {
  return createMembership(
    [ids],
    ids.map((each): [NodeId, BasicNode] => [each, { addr: `10.0.0.${each}:7000` }]),
  );
}

/** A log whose entries, from the one after `purged` on, have these terms. */
export function trail(terms: readonly number[], purged: LogId = ZERO_LOG_ID): LogTrail {
  const ranges: TermRange[] = [];
  for (const [i, term] of terms.entries()) {
    if (term !== ranges.at(-1)?.term) ranges.push({ term, firstIndex: purged.index + 1 + i });
  }
  const last = terms.length === 0 ? purged : id(terms.at(-1) as number, purged.index + terms.length);
  return new LogTrail(purged, last, ranges);
}

/** Entries of these terms from index `first` on. */
export function entries(first: number, ...terms: readonly number[]): LogEntry<string>[] {
  return terms.map((term, i) => ({ logId: id(term, first + i), payload: command(`${term}-${first + i}`) }));
}

export function command(data: string): EntryPayload<string, never> {
  return { type: "normal", data };
}

export function membershipEntry(logId: LogId, membership: Membership): LogEntry<string> {
  return { logId, payload: { type: "membership", membership } };
}

/** What the storage of a node holds when it starts. Anything left out is as on node 1 of three, with an empty log in term 0. */
export interface StartOptions {
  readonly id?: NodeId;
  readonly membership?: Membership<unknown>;
  readonly vote?: Partial<Vote>;
  /** The term of each entry after `purged`. */
  readonly terms?: readonly number[];
  readonly purged?: LogId;
  readonly snapshot?: number;
  readonly applied?: number;
  readonly committed?: number;
  readonly config?: Partial<EngineConfig>;
  readonly switches?: Partial<EngineSwitches>;
  /** Default: 0, stores are not told apart. */
  readonly incarnation?: number;
  /** The entries that brought the memberships; default: `membership`, brought by no entry. */
  readonly memberships?: readonly StoredMembership<unknown>[];
  /** Taken in turn, over and over. */
  readonly random?: readonly number[];
  readonly now?: number;
}

/** An engine, the clock it is stepped with, and everything it has asked for. */
export class TestEngine {
  readonly engine: Engine;
  now: number;
  #rpcId = 0;

  constructor(options: StartOptions = {}) {
    const purged = options.purged ?? ZERO_LOG_ID;
    const log = trail(options.terms ?? [], purged);
    const applied = log.at(options.applied ?? purged.index);
    const random = options.random ?? [0.5];
    let drawn = 0;
    this.now = options.now ?? 1000;
    this.engine = new Engine(
      {
        id: options.id ?? 1,
        incarnation: options.incarnation ?? 0,
        vote: { term: log.last.term, votedFor: null, committed: false, ...options.vote },
        log,
        memberships: options.memberships ?? [
          { logId: ZERO_LOG_ID, membership: options.membership ?? voters(1, 2, 3) },
        ],
        snapshot: log.at(options.snapshot ?? purged.index),
        applied,
        committed: log.at(options.committed ?? applied.index),
      },
      {
        config: { ...TEST_CONFIG, ...options.config },
        switches: { ...DEFAULT_SWITCHES, ...options.switches },
        random: () => random[drawn++ % random.length] as number,
        checkInvariants: true,
      },
      this.now,
    );
  }

  get state(): Readonly<EngineState> {
    return this.engine.state;
  }

  get role(): EngineState["role"]["type"] {
    return this.engine.state.role.type;
  }

  /** The role, which must be that of a leader. */
  get leader(): LeaderRole {
    const { role } = this.engine.state;
    if (role.type !== "leader") throw new Error(`expected a leader, found a ${role.type}`);
    return role;
  }

  progress(peer: NodeId): Progress {
    const progress = this.leader.progress.get(peer);
    if (progress === undefined) throw new Error(`node ${peer} is not followed`);
    return progress;
  }

  /** Takes one step, after which nothing else comes: whoever is to hear what is committed is told. */
  step(event: Event): Command[] {
    const commands = this.engine.step(event, this.now);
    if (!this.engine.hasNews()) return [...commands];
    return [...commands, ...this.engine.step({ type: "tellCommit" }, this.now)];
  }

  /** Lets time pass and then reports the timer. */
  pass(ms: number): Command[] {
    this.now += ms;
    return this.step({ type: "timer" });
  }

  /** Makes durable what was asked for, up to `ioSeq` or all of it. */
  persist(ioSeq: number = this.state.io.issued): Command[] {
    return this.step({ type: "persisted", ioSeq });
  }

  /** Makes everything durable, if something is not, and reports all that may be applied as applied. */
  settle(): void {
    if (this.state.io.persisted < this.state.io.issued) this.persist();
    const { dispatchedIndex, applied, log } = this.state;
    if (dispatchedIndex > applied.index) this.applied(log.at(dispatchedIndex));
  }

  /** The state machine has come to `logId`, over so many bytes of commands. */
  applied(logId: LogId, bytes = 0): Command[] {
    return this.step({ type: "applied", logId, bytes });
  }

  write(...data: readonly string[]): Command[] {
    return this.step({ type: "clientWrite", payloads: data.map(command) });
  }

  read(requestId: number, policy: ReadPolicy = "readIndex"): Command[] {
    return this.step({ type: "readIndex", requestId, policy, forwarded: false });
  }

  /** A follower asks for its readers. */
  forwardedRead(requestId: number, policy: ReadPolicy = "readIndex"): Command[] {
    return this.step({ type: "readIndex", requestId, policy, forwarded: true });
  }

  preVoteRequest(candidateId: NodeId, term: number, lastLogId: LogId): Command[] {
    return this.step({
      type: "preVoteRequest",
      rpcId: ++this.#rpcId,
      request: { term, candidateId, lastLogId },
    });
  }

  voteRequest(candidateId: NodeId, term: number, lastLogId: LogId, transfer = false): Command[] {
    return this.step({
      type: "voteRequest",
      rpcId: ++this.#rpcId,
      request: { term, candidateId, lastLogId, transfer },
    });
  }

  /** Asks for a change of the membership. */
  change(
    requestId: number,
    change: MembershipChange<unknown>,
    options: Partial<Pick<ChangeMembershipEvent, "retain" | "allowLagging" | "expect">> = {},
  ): Command[] {
    return this.step({
      type: "changeMembership",
      requestId,
      change,
      retain: false,
      allowLagging: false,
      ...options,
    });
  }

  transferLeader(requestId: number, target: NodeId | null, timeoutMs = 1000): Command[] {
    return this.step({ type: "transferLeader", requestId, target, timeoutMs });
  }

  /** The leader `leaderId` asks this node to take over. */
  timeoutNow(leaderId: NodeId, term: number, lastLogId: LogId): Command[] {
    return this.step({
      type: "timeoutNowRequest",
      rpcId: ++this.#rpcId,
      request: { term, leaderId, lastLogId },
    });
  }

  timeoutNowAnswered(from: NodeId, requestTerm: number, accepted: boolean, term = requestTerm): Command[] {
    return this.step({ type: "timeoutNowAnswered", from, requestTerm, term, accepted });
  }

  /** A part of a snapshot comes from `leaderId` (2 unless said otherwise). */
  installSnapshot(term: number, meta: SnapshotMeta<unknown>, leaderId: NodeId = 2): Command[] {
    return this.step({ type: "installSnapshotRequest", rpcId: ++this.#rpcId, term, leaderId, meta });
  }

  snapshotReceived(meta: SnapshotMeta<unknown>, requestId: number | null = null): Command[] {
    return this.step({ type: "snapshotReceived", meta, requestId });
  }

  /** The snapshot that is being installed is, or could not be read. */
  snapshotInstalled(meta: SnapshotMeta<unknown>, installed = true): Command[] {
    const { lastLogId, lastMembership } = meta;
    return this.step({ type: "snapshotInstalled", lastLogId, lastMembership, installed });
  }

  /** The follower has all of the snapshot `sent` to it, up to `lastLogId`. */
  snapshotDone(sent: SendSnapshotCommand, lastLogId: LogId, incarnation = 0): Command[] {
    return this.step({
      type: "installSnapshotResponse",
      from: sent.to,
      requestTerm: sent.term,
      seq: sent.seq,
      lastLogId,
      response: { type: "installed", term: sent.term },
      incarnation,
    });
  }

  snapshotFailed(sent: SendSnapshotCommand): Command[] {
    return this.step({
      type: "installSnapshotFailed",
      from: sent.to,
      requestTerm: sent.term,
      seq: sent.seq,
    });
  }

  configure(switches: Partial<EngineSwitches>): Command[] {
    return this.step({ type: "configure", switches });
  }

  stalled(verb: StorageVerb | null): Command[] {
    return this.step({ type: "storageStalled", verb });
  }

  /** AppendEntries from `leaderId` (2 unless said otherwise). */
  append(
    request: Partial<AppendEntriesRequest<string>> & Pick<AppendEntriesRequest, "term" | "prevLogId">,
  ): Command[] {
    return this.step({
      type: "appendEntriesRequest",
      rpcId: ++this.#rpcId,
      request: { leaderId: 2, entries: [], leaderCommit: 0, ...request },
    });
  }

  preVoteResponse(from: NodeId, requestTerm: number, granted: boolean, term = requestTerm - 1): Command[] {
    return this.step({ type: "preVoteResponse", from, requestTerm, response: { term, granted } });
  }

  voteResponse(from: NodeId, requestTerm: number, granted: boolean, term = requestTerm): Command[] {
    return this.step({ type: "voteResponse", from, requestTerm, response: { term, granted } });
  }

  /** An answer to `sent`, in the sender's own term unless the answer says otherwise. */
  answer(sent: SendAppendEntriesCommand, response: Answer, incarnation = 0): Command[] {
    return this.step({
      type: "appendEntriesResponse",
      from: sent.to,
      requestTerm: sent.term,
      seq: sent.seq,
      response: { term: sent.term, ...response } as AppendEntriesResponse,
      incarnation,
    });
  }

  /** The follower appended all of `sent`. */
  accept(sent: SendAppendEntriesCommand, incarnation = 0): Command[] {
    return this.answer(sent, { type: "success", matchIndex: sent.upto }, incarnation);
  }

  fail(sent: SendAppendEntriesCommand): Command[] {
    return this.step({
      type: "appendEntriesFailed",
      from: sent.to,
      requestTerm: sent.term,
      seq: sent.seq,
    });
  }
}

type Answer =
  | { readonly type: "success"; readonly matchIndex: number; readonly term?: number }
  | { readonly type: "conflict"; readonly hint: LogId; readonly term?: number }
  | { readonly type: "refused"; readonly term?: number };

/** The commands of one type. */
export function only<T extends Command["type"]>(
  commands: readonly Command[],
  type: T,
): Extract<Command, { type: T }>[] {
  return commands.filter((each): each is Extract<Command, { type: T }> => each.type === type);
}

/** The only command of its type. */
export function the<T extends Command["type"]>(
  commands: readonly Command[],
  type: T,
): Extract<Command, { type: T }> {
  const found = only(commands, type);
  if (found.length !== 1) {
    throw new Error(`expected one ${type}, found ${JSON.stringify(commands)}`);
  }
  return found[0] as Extract<Command, { type: T }>;
}

/** The AppendEntries to one follower, which must be one. */
export function sentTo(commands: readonly Command[], to: NodeId): SendAppendEntriesCommand {
  return the(
    commands.filter((each) => each.type === "sendAppendEntries" && each.to === to),
    "sendAppendEntries",
  );
}

/** An engine that was just elected in the term after that of its log, its blank entry on the way; and how it began. */
export interface Elected {
  readonly node: TestEngine;
  /** The commands of the step that made it leader. */
  readonly won: Command[];
  readonly term: number;
}

/** Elects node 1, with the votes of all other voters until it has enough. */
export function elect(options: StartOptions = {}): Elected {
  const node = new TestEngine(options);
  node.now = Math.max(node.now, node.state.abstainUntil);
  node.step({ type: "elect" });
  const { term } = node.state.vote;
  let won = node.persist();
  for (const peer of node.state.memberships.at(-1)?.membership.nodes.keys() ?? []) {
    if (node.role === "leader") break;
    if (peer !== node.state.id) won = node.voteResponse(peer, term, true);
  }
  if (node.role !== "leader") throw new Error("not elected");
  return { node, won, term };
}

/** Elects node 1, with its blank entry committed and applied everywhere, every follower in the pipeline and told of it. */
export function elected(options: StartOptions = {}): TestEngine {
  const { node, won } = elect(options);
  flow(node, won);
  return node;
}

/**
 * Lets all that `commands` and its own disk lead to happen: everything is durable at once, and followers accept what they are sent.
 *
 * @param from the followers that answer; default: all.
 * @param incarnationOf the store that a follower answers from.
 * @returns everything that was asked for on the way, `commands` among it.
 */
export function flow(
  node: TestEngine,
  commands: readonly Command[],
  from: (id: NodeId) => boolean = () => true,
  incarnationOf: (id: NodeId) => number = () => 0,
): Command[] {
  const pending = [...commands];
  const all: Command[] = [];
  for (;;) {
    const next = pending.shift();
    if (next !== undefined) {
      if (all.push(next) > COMMANDS_TO_SETTLE)
        throw new Error("a leader and its followers go on talking for ever");
      if (next.type === "sendAppendEntries" && from(next.to))
        pending.push(...node.accept(next, incarnationOf(next.to)));
    } else if (node.state.io.persisted < node.state.io.issued) pending.push(...node.persist());
    else break;
  }
  node.settle();
  return all;
}

/** A snapshot up to `lastLogId` that brings `membership`, as its meta data. */
export function snapshotMeta(
  lastLogId: LogId,
  membership: Membership<unknown> = voters(1, 2, 3),
  membershipLogId: LogId = ZERO_LOG_ID,
): SnapshotMeta<unknown> {
  return {
    lastLogId,
    lastMembership: { logId: membershipLogId, membership },
    snapshotId: `${lastLogId.term}-${lastLogId.index}`,
  };
}

/** What the parts of an engine work with, for testing one of them alone. */
export function makeContext(options: StartOptions = {}): Context {
  const node = new TestEngine(options);
  const random = options.random ?? [0.5];
  let drawn = 0;
  return {
    config: { ...TEST_CONFIG, ...options.config },
    state: node.state,
    now: node.now,
    random: () => random[drawn++ % random.length] as number,
    out: [],
    deadlineMoved: false,
  };
}

/** What a part of `node` would work with in a step now. */
export function contextOf(node: TestEngine): Context {
  return {
    config: TEST_CONFIG,
    state: node.state,
    now: node.now,
    random: () => 0.5,
    out: [],
    deadlineMoved: false,
  };
}

/** A node that belongs to no cluster yet. */
export function newNode(options: StartOptions = {}): TestEngine {
  return new TestEngine({ membership: EMPTY_MEMBERSHIP, ...options });
}
