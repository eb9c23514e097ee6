import type { LogEntry, LogId, Membership, NodeId, RpcRequest, RpcResponse, Vote } from "@seshat/common";
import { formatLogId } from "@seshat/common";
import type { EngineStep } from "@seshat/raft";
import type { NetworkTap, Rpc } from "../network/sim-network.js";
import {
  checkAppendAnswer,
  checkCandidacy,
  checkSnapshotAnswer,
  checkTermOfAnswer,
  checkVoteAnswer,
} from "./answer-rules.js";
import { ClusterMemory } from "./cluster-memory.js";
import { checkUpToDate } from "./log-order.js";
import { checkEffective, checkSuccession } from "./membership-rules.js";
import { checkStep } from "./node-rules.js";
import type { EngineState } from "./observed-node.js";
import { ObservedNode, effective } from "./observed-node.js";
import { ReadRules } from "./read-rules.js";
import { checkHint, checkRecovered, checkRecovery } from "./recovery-rules.js";
import { Violation } from "./violation.js";
import type { MachineTap } from "./watched-machine.js";
import type { StorageTap } from "./watched-storage.js";

/** Is told of every command that a state machine applies. What it throws is a violation. */
export type AppliedWatcher = (index: number, command: unknown, response: unknown) => void;

/**
 * Watches every step of every node and every message, and objects to whatever Raft does not allow. The letters are those of
 * `docs/invariants.md`. Each check looks only at what is new, so that a run costs what happens in it.
 */
export class Oracle implements NetworkTap {
  readonly memory: ClusterMemory = new ClusterMemory();
  /** What is known of every store that ever ran, by node and incarnation. */
  readonly #stores = new Map<string, ObservedNode>();
  /** The store that each node runs on now. */
  readonly #current = new Map<NodeId, ObservedNode>();
  /** The last command in the state machine of each node, in its current life. */
  readonly #machines = new Map<NodeId, number>();
  readonly #reads = new ReadRules();
  /** What the storage of a node says was committed in the life before. */
  readonly #hints = new Map<NodeId, LogId>();
  readonly #applied: AppliedWatcher;
  /** What was appended to the log of a node in a recovery, until it runs again. */
  readonly #recovered = new Map<NodeId, readonly LogEntry<unknown, unknown>[]>();

  #violation: Error | null = null;

  constructor(applied: AppliedWatcher = () => {}) {
    this.#applied = applied;
  }

  /** The first property that did not hold; null while all do. */
  get violation(): Error | null {
    return this.#violation;
  }

  /** A life begins. A13: what it finds on its disk is what was durable, or more. */
  started(state: EngineState): void {
    this.check(() => this.#started(state));
  }

  /** One step of a node, before what it asks for is carried out. */
  step(step: EngineStep): void {
    this.check(() => this.#step(step));
  }

  request(from: NodeId, _to: NodeId, rpc: Rpc, request: RpcRequest<unknown>): void {
    this.check(() => this.#request(from, rpc, request));
  }

  response(
    from: NodeId,
    _to: NodeId,
    rpc: Rpc,
    request: RpcRequest<unknown>,
    response: RpcResponse<unknown>,
  ): void {
    this.check(() => this.#response(from, rpc, request, response));
  }

  /** What is told of the state machine of a node, in a life that begins now. */
  machineOf(id: NodeId): MachineTap {
    const name = `node ${id}`;
    this.#machines.set(id, 0);
    return {
      applied: (index, hash, command, response) =>
        this.check(() => {
          this.#moveOn(id, index, index);
          this.memory.applies(name, index, hash);
          this.#applied(index, command, response);
        }),
      restored: (index, hash) =>
        this.check(() => {
          this.#moveOn(id, index, index + 1);
          this.memory.restores(name, index, hash);
        }),
    };
  }

  /** A9: the state of a node never goes back, so nothing that was written vanishes. */
  #moveOn(id: NodeId, index: number, mustPass: number): void {
    const before = this.#machines.get(id) ?? 0;
    if (before >= mustPass) {
      throw new Violation(
        "A9 the state never goes back",
        `node ${id} had applied the command at ${before}, and now has that at ${index}`,
      );
    }
    this.#machines.set(id, index);
  }

  /** A snapshot up to this entry is durable on a node. */
  installed(id: NodeId, lastLogId: LogId): void {
    this.#current.get(id)?.installed(lastLogId);
  }

  /** What is told of the storage of a node, in its current life. */
  storageOf(id: NodeId): StorageTap {
    const node = (): ObservedNode | undefined => this.#current.get(id);
    // A life begins: what the one before was told does not count.
    this.#hints.delete(id);
    return {
      read: (entries) =>
        this.check(() => {
          for (const entry of entries) this.memory.reads(`node ${id}`, entry);
        }),
      committedRead: (committed) => void this.#hints.set(id, committed),
      voteSaved: (vote) => this.check(() => this.#voteSaved(node(), vote)),
      appending: (logIds) => node()?.appending(logIds) ?? ((): void => {}),
      truncating: (since) => node()?.truncating(since) ?? ((): void => {}),
      purged: (upto) => node()?.purged(upto),
    };
  }

  /** What is not durable was not said either, and may be forgotten in a crash. */
  #voteSaved(node: ObservedNode | undefined, vote: Vote): void {
    if (node === undefined) return;
    node.voteSaved(vote);
    if (vote.votedFor !== null) this.memory.votes(node.name, vote.term, vote.votedFor);
  }

  /** Runs a check; the first that throws is the violation. */
  check(check: () => void): void {
    if (this.#violation !== null) return;
    try {
      check();
    } catch (thrown) {
      this.#violation = thrown as Error;
    }
  }

  #started(state: EngineState): void {
    const name = storeName(state.id, state.incarnation);
    const known = this.#stores.get(name);
    this.#reads.restart(state.id);
    const hint = this.#hints.get(state.id);
    if (hint !== undefined) checkHint(name, hint, state);
    const snapshot = state.snapshot.lastLogId.index;
    if (snapshot > 0) this.memory.checkSnapshot(name, snapshot, this.#machines.get(state.id) ?? 0);
    if (known === undefined) {
      const node = new ObservedNode(name, state);
      this.#stores.set(name, node);
      this.#current.set(state.id, node);
      return;
    }
    checkRecovery(name, known, state);
    for (const entry of this.#recovered.get(state.id) ?? []) {
      const { index, term } = entry.logId;
      if (state.log.termAt(index) === term)
        this.memory.appends(name, entry, state.log.termAt(index - 1) ?? -1);
    }
    this.#recovered.delete(state.id);
    known.restart(state);
    this.#current.set(state.id, known);
  }

  /** True when a crash of all nodes, and the loss of all others, would leave this one with everything that was ever committed, and in term `term`. */
  keepsAll(id: NodeId, term: number): boolean {
    const { memory } = this;
    const node = this.#current.get(id);
    if (node === undefined || node.durableVote.term < term) return false;
    const last = memory.committedUpto(memory.lastCommitted, Number.POSITIVE_INFINITY);
    return last === undefined || node.holdsDurably(last);
  }

  /** A membership is to be appended to the log of a node that does not run. */
  recovering(id: NodeId, entries: readonly LogEntry<unknown, unknown>[]): void {
    this.#recovered.set(id, entries);
    const node = this.#current.get(id);
    for (const { logId } of entries) if (node !== undefined) this.check(() => checkRecovered(node, logId));
  }

  /** The store of a node is gone for good. */
  wiped(id: NodeId): void {
    this.#current.delete(id);
  }

  #step(step: EngineStep): void {
    const { commands, event, state } = step;
    const node = this.#current.get(state.id);
    if (node === undefined) return;
    const { name } = node;
    checkStep(name, node, step, (logId) => this.memory.isCommitted(logId));
    checkEffective(name, step);
    for (const command of commands) {
      if (command.type === "truncate") node.cut(command.since);
      if (command.type === "append") {
        for (const entry of command.entries) {
          this.memory.appends(name, entry, state.log.termAt(entry.logId.index - 1) ?? -1);
          if (entry.payload.type === "membership" && state.role.type === "leader")
            checkSuccession(name, state, entry.logId);
        }
      }
    }
    if (state.role.type === "leader" && node.role !== "leader") this.#lead(name, state);
    const commits = state.committed.index > node.committed.index;
    if (commits) this.#commit(name, node, state);
    if (event.type === "snapshotInstalled" && event.installed) this.#install(name, event, state);
    if (commits || state.log.last.term !== node.lastTerm) checkUpToDate(node, this.#current, this.memory);
    this.#reads.step(name, step, this.memory.lastCommitted);
    node.endStep(state);
  }

  /** B12: the state and the membership that come with a snapshot are those after its last entry. */
  #install(
    name: string,
    { lastLogId, lastMembership }: Extract<EngineStep["event"], { readonly type: "snapshotInstalled" }>,
    state: EngineState,
  ): void {
    this.memory.checkSnapshot(name, lastLogId.index, this.#machines.get(state.id) ?? 0);
    this.memory.checkMembership(name, lastLogId.index, lastMembership);
    const [committed] = state.memberships;
    if (committed !== undefined) this.memory.checkMembership(name, state.committed.index, committed);
  }

  #request(from: NodeId, rpc: Rpc, request: RpcRequest<unknown>): void {
    if (rpc === "preVote" || rpc === "readIndex") return;
    const node = this.#current.get(from);
    const { term } = request as unknown as { readonly term: number };
    if (node !== undefined && term > node.durableVote.term) {
      throw new Violation(
        "B11 terms are durable before they are said",
        `node ${from} sends ${rpc} of term ${term}, but only ${node.durableVote.term} is durable`,
      );
    }
    if (node === undefined) return;
    if (rpc === "vote") checkCandidacy(node, term);
    else this.memory.checkLeads(node.name, term, rpc);
  }

  #response(from: NodeId, rpc: Rpc, request: RpcRequest<unknown>, response: RpcResponse<unknown>): void {
    const node = this.#current.get(from);
    if (node === undefined) return;
    if (rpc === "vote") checkVoteAnswer(node, request as never, response as never);
    if (rpc === "appendEntries") checkAppendAnswer(node, response as never);
    if (rpc === "installSnapshot") checkSnapshotAnswer(node, request as never, response as never);
    if (rpc !== "readIndex" && rpc !== "timeoutNow") checkTermOfAnswer(node, rpc, response as never);
  }

  #lead(name: string, state: EngineState): void {
    const { term } = state.vote;
    this.memory.leads(name, term);
    this.memory.checkComplete(name, term, ({ term: of, index }) =>
      index <= state.log.purged.index ? true : state.log.termAt(index) === of,
    );
  }

  #commit(name: string, node: ObservedNode, state: EngineState): void {
    const { log, role, vote } = state;
    const leads = role.type === "leader";
    for (let index = node.committed.index + 1; index <= state.committed.index; index += 1) {
      const term = log.termAt(index);
      // What a snapshot brought has no entries here; the state machine's hash answers for it.
      if (term !== undefined) this.memory.commits(name, { term, index }, vote.term);
    }
    if (leads) this.#checkQuorum(name, node, state);
  }

  /**
   * True when the store of a voter holds the entry, or held it when it was erased. It is the one that the membership names: what another store of
   * this id has counts for nothing. Where it names none, any of them may have been counted.
   */
  #everHeld(id: NodeId, { incarnations }: Membership<unknown>, logId: LogId): boolean {
    const incarnation = incarnations.get(id);
    if (incarnation !== undefined)
      return this.#stores.get(storeName(id, incarnation))?.holdsDurably(logId) === true;
    return [...this.#stores.values()].some((node) => node.id === id && node.holdsDurably(logId));
  }

  /** B6, B8: what a leader commits is of its own term, and durable on a majority of each set of voters in force. */
  #checkQuorum(name: string, node: ObservedNode, state: EngineState): void {
    const { committed } = state;
    if (committed.term !== state.vote.term) {
      throw new Violation(
        "B8 only entries of the leader's own term",
        `${name} commits ${formatLogId(committed)}`,
      );
    }
    const isHeld = (membership: Membership<unknown>): boolean =>
      membership.configs.every((voters) => {
        const holders = voters.filter((id) => this.#everHeld(id, membership, committed));
        return holders.length * 2 > voters.length;
      });
    // The step may have brought the next membership after it committed by the one before.
    if (isHeld(node.membership) || isHeld(effective(state).membership)) return;
    throw new Violation(
      "B6 committed on a quorum",
      `${name} commits ${formatLogId(committed)}, which is not durable on a majority of ${JSON.stringify(node.membership.configs)}`,
    );
  }
}

function storeName(id: NodeId, incarnation: number): string {
  return `node ${id} (${incarnation.toString(36)})`;
}
