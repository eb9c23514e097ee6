import type {
  AsyncRuntime,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  LogId,
  NodeId,
  RaftTypeConfig,
  RpcResponse,
} from "@seshat/common";
import { StorageError, UnreachableError } from "@seshat/common";
import type { MaybePromise, RaftLogReader } from "@seshat/storage";
import {
  checkInstallSnapshotResponse,
  checkReadIndexResponse,
  checkTimeoutNowResponse,
  checkVoteResponse,
} from "../check-message.js";
import type {
  SendAppendEntriesCommand,
  SendPreVoteCommand,
  SendReadIndexCommand,
  SendTimeoutNowCommand,
  SendVoteCommand,
} from "../engine/command.js";
import type { Event } from "../engine/event.js";
import type { RaftNetwork, RaftNetworkFactory } from "../network/raft-network.js";
import { appendAnswer, AppendCall, appendFailure } from "./append-call.js";
import { toError } from "./failure.js";
import type { Instruments } from "./instruments.js";
import type { LogCache } from "./log-cache.js";
import type { Passport } from "./identity.js";
import { isPending } from "./maybe-promise.js";
import type { Connection } from "./peer.js";
import { Peer } from "./peer.js";
import { PortionedAnswer } from "./portioned-answer.js";
import type { Portion } from "./split-entries.js";
import type { StallWatch } from "./stall-watch.js";
import { splitEntries } from "./split-entries.js";
import type { TermBound } from "./term-bound.js";

/**
 * What a link carries at the least, in bytes per millisecond (1 MiB a second). Entries get that much longer to be
 * answered: however much is on its way, a slow link is not taken for a dead peer.
 */
const SLOWEST_LINK = 1024;

const NO_ENTRIES: Portion<never> = { entries: [], bytes: 0 };

/** What was read last from the log of a leader, which only grows as long as it leads. */
interface LastRead<C extends RaftTypeConfig> {
  readonly command: SendAppendEntriesCommand;
  readonly portions: readonly Portion<C["Entry"]>[];
}

/** What the sender works with. */
export interface SenderParts<C extends RaftTypeConfig> {
  readonly id: NodeId;
  readonly passport: Passport;
  readonly terms: TermBound;
  readonly stalls: StallWatch;
  readonly network: RaftNetworkFactory<C>;
  readonly reader: RaftLogReader<C>;
  readonly cache: LogCache;
  readonly runtime: AsyncRuntime;
  readonly instruments: Instruments;
  /** How long an answer may take before the request counts as lost; with entries, as much longer as they may travel. */
  readonly rpcTimeoutMs: number;
  readonly maxPayloadBytes: number;
  readonly maxInFlightBytes: number;
  /** What a command counts; a number of at least 0, whatever it is given. */
  readonly sizeOf: (data: C["D"]) => number;
  /** How the membership in force describes a peer. */
  describe(id: NodeId): C["Node"] | undefined;
  /** True while the engine waits for the answer: what is read from the log is then what it meant to send. */
  awaits(command: SendAppendEntriesCommand): boolean;
  emit(event: Event): void;
}

/** Sends requests to peers and turns every answer, or the lack of one, into an event. */
export class Sender<C extends RaftTypeConfig> {
  readonly #parts: SenderParts<C>;
  readonly #peers = new Map<NodeId, Peer<C>>();
  #lastRead: LastRead<C> | null = null;
  /** While something is sent at once: the time. What is sent later looks at the clock. */
  #stepTime: number | null = null;
  #closed = false;

  constructor(parts: SenderParts<C>) {
    this.#parts = parts;
  }

  preVote(command: SendPreVoteCommand): void {
    const { to, request } = command;
    const header = this.#parts.passport.request(to);
    this.#call(
      to,
      "preVote",
      (peer) => peer.preVote({ ...request, header }),
      this.#believed(to, checkVoteResponse),
    ).then(
      (response) =>
        this.#parts.emit({ type: "preVoteResponse", from: to, requestTerm: request.term, response }),
      () => {},
    );
  }

  vote(command: SendVoteCommand): void {
    const { to, request } = command;
    const header = this.#parts.passport.request(to);
    this.#call(
      to,
      "vote",
      (peer) => peer.vote({ ...request, header }),
      this.#believed(to, checkVoteResponse),
    ).then(
      (response) => this.#parts.emit({ type: "voteResponse", from: to, requestTerm: request.term, response }),
      () => {},
    );
  }

  readIndex({ to, requestId, policy }: SendReadIndexCommand): void {
    const request = { lease: policy === "lease", header: this.#parts.passport.request(to) };
    const answered = (readIndex: LogId | null): void =>
      this.#parts.emit({ type: "readIndexAnswered", requestId, readIndex });
    this.#call(to, "readIndex", (peer) => peer.readIndex(request), checkReadIndexResponse).then(
      (response) => answered(response.readIndex),
      () => answered(null),
    );
  }

  /** Asks a peer to take over. No answer counts as a refusal: the engine asks again. */
  timeoutNow({ to, request }: SendTimeoutNowCommand): void {
    const header = this.#parts.passport.request(to);
    const answered = (term: number, accepted: boolean): void =>
      this.#parts.emit({ type: "timeoutNowAnswered", from: to, requestTerm: request.term, term, accepted });
    this.#call(
      to,
      "timeoutNow",
      (peer) => peer.timeoutNow({ ...request, header }),
      this.#believed(to, checkTimeoutNowResponse),
    ).then(
      ({ term, accepted }) => answered(term, accepted),
      () => answered(0, false),
    );
  }

  /** Sends one part of a snapshot. Rejects when there is no answer in time. */
  installSnapshot(
    to: NodeId,
    request: InstallSnapshotRequest<C["Node"]>,
  ): Promise<RpcResponse<InstallSnapshotResponse>> {
    const header = this.#parts.passport.request(to);
    const timeoutMs = this.#parts.rpcTimeoutMs + request.data.length / SLOWEST_LINK;
    const send = (network: RaftNetwork<C>): Promise<RpcResponse<InstallSnapshotResponse>> =>
      network.installSnapshot({ ...request, header });
    return this.#callFor(
      to,
      "installSnapshot",
      timeoutMs,
      send,
      this.#believed(to, checkInstallSnapshotResponse),
    );
  }

  /** Sends entries in the order of the calls, and heartbeats beside them. @param now when the engine said so, which is a moment ago. */
  appendEntries(command: SendAppendEntriesCommand, now: number = this.#parts.runtime.now()): void {
    const peer = this.#peer(command.to);
    this.#stepTime = now;
    if (command.upto > command.prevLogId.index) {
      if (peer.work.enter()) peer.work.leave(this.#sendEntries(peer, command));
      else peer.work.push(command);
    } else this.#send(peer, command, NO_ENTRIES, command.prevLogId, null, 0);
    this.#stepTime = null;
  }

  #sendEntries(peer: Peer<C>, command: SendAppendEntriesCommand): MaybePromise<void> {
    // It may have waited for what was sent before it, which may have failed: then the engine begins again, elsewhere.
    if (!this.#parts.awaits(command)) return undefined;
    try {
      const last = this.#lastRead;
      if (last !== null && isSameRange(last.command, command)) {
        this.#sendPortions(peer, command, last.portions);
        return undefined;
      }
      const entries = this.#read(command.prevLogId.index + 1, command.upto);
      if (isPending(entries)) return this.#sendLate(peer, command, entries);
      this.#sendPortions(peer, command, this.#portions(command, entries));
    } catch (thrown) {
      this.#unread(command, thrown);
    }
    return undefined;
  }

  async #sendLate(
    peer: Peer<C>,
    command: SendAppendEntriesCommand,
    entries: Promise<readonly C["Entry"][]>,
  ): Promise<void> {
    const { stalls } = this.#parts;
    const reading = stalls.begin("read log");
    try {
      const read = await entries.finally(() => stalls.end(reading));
      const portions = this.#portions(command, read);
      // In the meantime nobody may want it any more.
      if (!peer.closed && this.#parts.awaits(command)) this.#sendPortions(peer, command, portions);
    } catch (thrown) {
      this.#unread(command, thrown);
    }
  }

  /** The entries may have been purged in the meantime: the next attempt starts from what is left. */
  #unread(command: SendAppendEntriesCommand, thrown: unknown): void {
    const error = toError(thrown).message;
    this.#parts.instruments.log("warn", "raft.read.failed", { peer: command.to, error });
    this.#parts.emit(appendFailure(command));
  }

  /** Sends entries as one message, or as several where they are too large for one. They follow each other without waiting. */
  #sendPortions(
    peer: Peer<C>,
    command: SendAppendEntriesCommand,
    portions: readonly Portion<C["Entry"]>[],
  ): void {
    const [first] = portions as [Portion<C["Entry"]>];
    // Mostly it is one, and there is room for it.
    if (portions.length === 1 && peer.window.tryEnter(first.bytes)) {
      this.#send(peer, command, first, command.prevLogId, null, 0);
      return;
    }
    const whole = new PortionedAnswer(portions.length, (response, incarnation) =>
      this.#parts.emit(
        response === null ? appendFailure(command) : appendAnswer(command, response, incarnation),
      ),
    );
    let previous = command.prevLogId;
    for (let position = 0; position < portions.length; position++) {
      const portion = portions[position] as Portion<C["Entry"]>;
      const prevLogId = previous;
      previous = (portion.entries.at(-1) as C["Entry"]).logId;
      peer.window.enter(portion.bytes, () => {
        if (!whole.settled && !peer.closed && this.#parts.awaits(command))
          this.#send(peer, command, portion, prevLogId, whole, position);
        else peer.window.leave(portion.bytes);
      });
    }
  }

  /** What was read is kept for the next follower: mostly all of them are sent the same. */
  #portions(
    command: SendAppendEntriesCommand,
    entries: readonly C["Entry"][],
  ): readonly Portion<C["Entry"]>[] {
    if (entries.length === 0) {
      throw new StorageError("read log", `got no entries from ${command.prevLogId.index + 1} on`);
    }
    const portions = splitEntries(entries, this.#parts.maxPayloadBytes, this.#parts.sizeOf);
    this.#lastRead = { command, portions };
    return portions;
  }

  #send(
    peer: Peer<C>,
    command: SendAppendEntriesCommand,
    { entries, bytes }: Portion<C["Entry"]>,
    prevLogId: LogId,
    whole: PortionedAnswer | null,
    position: number,
  ): void {
    const { passport, id: leaderId, rpcTimeoutMs } = this.#parts;
    const { term, leaderCommit } = command;
    const header = passport.request(peer.id);
    // A heartbeat waits behind no data, and is not given time for it.
    const timeoutMs = rpcTimeoutMs + (bytes === 0 ? 0 : peer.window.used / SLOWEST_LINK);
    peer.append(
      { term, leaderId, prevLogId, entries, leaderCommit, header },
      new AppendCall(this.#parts, peer, command, timeoutMs, bytes, whole, position),
      this.#stepTime ?? this.#parts.runtime.now(),
    );
  }

  /**
   * Gives up the peers for which `isNeeded` is false, and connects anew to those that moved.
   *
   * @returns those that were given up: what was on its way to them is lost.
   */
  retain(isNeeded: (id: NodeId) => boolean): readonly NodeId[] {
    const givenUp: NodeId[] = [];
    for (const [id, peer] of this.#peers) {
      const node = this.#parts.describe(id);
      // A peer that leaves has no description any more; what it still is to be told goes where it went before.
      if (isNeeded(id) && (node === undefined || peer.isAt(node))) continue;
      this.#peers.delete(id);
      peer.close();
      givenUp.push(id);
    }
    return givenUp;
  }

  /** Gives up every peer, for good. */
  close(): void {
    this.#closed = true;
    this.retain(() => false);
  }

  #read(since: number, upto: number): MaybePromise<readonly C["Entry"][]> {
    const { cache, reader } = this.#parts;
    return cache.slice(since, upto) ?? reader.readEntries(since, cache.readableUpto(upto));
  }

  /** `check`, and that what the peer says of terms can be. */
  #believed<T extends { readonly term: number }>(
    to: NodeId,
    check: (response: T) => void,
  ): (response: T) => void {
    return (response) => {
      check(response);
      this.#parts.terms.check("answer.term", response.term, to);
    };
  }

  #call<T>(
    to: NodeId,
    rpc: string,
    send: (network: RaftNetwork<C>) => Promise<RpcResponse<T>>,
    check: (response: T) => void,
  ): Promise<T> {
    return this.#callFor(to, rpc, this.#parts.rpcTimeoutMs, send, check);
  }

  #callFor<T>(
    to: NodeId,
    rpc: string,
    timeoutMs: number,
    send: (network: RaftNetwork<C>) => Promise<RpcResponse<T>>,
    check: (response: T) => void,
  ): Promise<RpcResponse<T>> {
    return this.#peer(to).call(rpc, timeoutMs, send, (response) => {
      check(response);
      this.#parts.passport.checkResponse(response.header, to);
    });
  }

  #peer(id: NodeId): Peer<C> {
    const existing = this.#peers.get(id);
    if (existing !== undefined) return existing;
    const { runtime, instruments, maxInFlightBytes } = this.#parts;
    const peer = new Peer<C>(id, {
      runtime,
      instruments,
      maxInFlightBytes,
      connect: (target) => this.#connect(target),
      sendEntries: (target, command) => this.#sendEntries(target, command),
    });
    if (this.#closed) peer.close();
    else this.#peers.set(id, peer);
    return peer;
  }

  #connect(to: NodeId): Connection<C> {
    const node = this.#parts.describe(to);
    if (node === undefined) throw new UnreachableError(to, "it is not a member");
    return { node, network: this.#parts.network.connect(to, node) };
  }
}

/** True when two commands send the same entries of the same leader. */
function isSameRange(a: SendAppendEntriesCommand, b: SendAppendEntriesCommand): boolean {
  return a.term === b.term && a.upto === b.upto && a.prevLogId.index === b.prevLogId.index;
}
