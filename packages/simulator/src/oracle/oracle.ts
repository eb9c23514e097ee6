import type { LogId, NodeId, RpcRequest, RpcResponse, StoredMembership, Vote } from "@seshat/common";
import { formatLogId, formatVote, voteMayBecome } from "@seshat/common";
import type { EngineStep } from "@seshat/raft";
import type { NetworkTap, Rpc } from "../network/sim-network.js";
import { ClusterMemory } from "./cluster-memory.js";
import type { EngineState } from "./observed-node.js";
import { ObservedNode, effective } from "./observed-node.js";
import { Violation } from "./violation.js";
import type { StorageTap } from "./watched-storage.js";

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

  #violation: Error | null = null;

  /** The first property that did not hold; null while all do. */
  get violation(): Error | null {
    return this.#violation;
  }

  /** A life begins. A13: what it finds on its disk is what was durable, or more. */
  started(state: EngineState): void {
    this.#guard(() => this.#started(state));
  }

  /** One step of a node, before what it asks for is carried out. */
  step(step: EngineStep): void {
    this.#guard(() => this.#step(step));
  }

  request(from: NodeId, _to: NodeId, rpc: Rpc, request: RpcRequest<unknown>): void {
    this.#guard(() => this.#request(from, rpc, request));
  }

  response(
    from: NodeId,
    _to: NodeId,
    rpc: Rpc,
    request: RpcRequest<unknown>,
    response: RpcResponse<unknown>,
  ): void {
    this.#guard(() => this.#response(from, rpc, request, response));
  }

  /** A state machine applied the entry at `index`, and its running hash is `hash` now. */
  applied(id: NodeId, index: number, hash: number): void {
    this.#guard(() => this.memory.applies(`node ${id}`, index, hash));
  }

  /** What is told of the storage of a node, in its current life. */
  storageOf(id: NodeId): StorageTap {
    const node = (): ObservedNode | undefined => this.#current.get(id);
    return {
      voteSaved: (vote) => this.#guard(() => this.#voteSaved(node(), vote)),
      appending: (lastIndex) => node()?.appending(lastIndex) ?? ((): void => {}),
      truncated: (since) => node()?.truncated(since),
      purged: (upto) => node()?.purged(upto),
    };
  }

  /** What is not durable was not said either, and may be forgotten in a crash. */
  #voteSaved(node: ObservedNode | undefined, vote: Vote): void {
    if (node === undefined) return;
    node.voteSaved(vote);
    const { id, incarnation } = node.state;
    if (vote.votedFor !== null) this.memory.votes(storeName(id, incarnation), vote.term, vote.votedFor);
  }

  #guard(check: () => void): void {
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
    if (known === undefined) {
      const node = new ObservedNode(state);
      this.#stores.set(name, node);
      this.#current.set(state.id, node);
      return;
    }
    checkRecovery(name, known, state);
    known.restart(state);
    this.#current.set(state.id, known);
  }

  /** The store of a node is gone for good. */
  wiped(id: NodeId): void {
    this.#current.delete(id);
  }

  #step({ commands, state }: EngineStep): void {
    const node = this.#current.get(state.id);
    if (node === undefined) return;
    const name = storeName(state.id, state.incarnation);
    for (const command of commands) {
      if (command.type === "truncate") node.truncating(command.since);
      if (command.type === "append") {
        for (const entry of command.entries) {
          this.memory.appends(name, entry, state.log.termAt(entry.logId.index - 1) ?? -1);
          if (entry.payload.type === "membership" && state.role.type === "leader")
            checkSuccession(name, node, state, entry.logId);
        }
      }
    }
    if (state.role.type !== node.role) {
      node.role = state.role.type;
      if (node.role === "leader") this.#lead(name, state);
    }
    if (state.committed.index > node.committed.index) this.#commit(name, node, state);
    node.configs = effective(state).membership.configs;
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
  }

  #response(from: NodeId, rpc: Rpc, request: RpcRequest<unknown>, response: RpcResponse<unknown>): void {
    const node = this.#current.get(from);
    if (node === undefined) return;
    if (rpc === "vote") checkVoteAnswer(node, request as never, response as never);
    if (rpc === "appendEntries") checkAppendAnswer(node, response as never);
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
      if (term !== undefined) this.memory.commits(name, { term, index }, leads ? vote.term : vote.term);
    }
    if (leads) this.#checkQuorum(name, node, state);
    node.committed = state.committed;
  }

  /** True when a store of the node holds the entry: one that was erased since had acknowledged it when it counted. */
  #everHeld(id: NodeId, logId: LogId): boolean {
    for (const node of this.#stores.values()) if (node.id === id && node.holdsDurably(logId)) return true;
    return false;
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
    const isHeld = (configs: readonly (readonly NodeId[])[]): boolean =>
      configs.every((voters) => {
        const holders = voters.filter((id) => this.#everHeld(id, committed));
        return holders.length * 2 > voters.length;
      });
    // The step may have brought the next membership after it committed by the one before.
    if (isHeld(node.configs) || isHeld(effective(state).membership.configs)) return;
    throw new Violation(
      "B6 committed on a quorum",
      `${name} commits ${formatLogId(committed)}, which is not durable on a majority of ${JSON.stringify(node.configs)}`,
    );
  }
}

function storeName(id: NodeId, incarnation: number): string {
  return `node ${id} (${incarnation.toString(36)})`;
}

function checkRecovery(name: string, before: ObservedNode, state: EngineState): void {
  const { log } = before.state;
  if (!voteMayBecome(before.durableVote, state.vote)) {
    throw new Violation(
      "A13 what was durable is read back",
      `${name} had the vote ${formatVote(before.durableVote)}, and comes back with ${formatVote(state.vote)}`,
    );
  }
  for (let index = state.log.purged.index + 1; index <= before.settledIndex; index += 1) {
    const term = log.termAt(index);
    if (term === undefined || state.log.termAt(index) === term) continue;
    throw new Violation(
      "A13 what was durable is read back",
      `${name} had ${term}-${index}, and comes back with ${state.log.termAt(index) ?? "nothing"} there`,
    );
  }
}

function checkVoteAnswer(
  node: ObservedNode,
  request: { readonly term: number; readonly candidateId: NodeId },
  response: { readonly granted: boolean },
): void {
  if (!response.granted) return;
  const { term, votedFor } = node.durableVote;
  if (term < request.term || (term === request.term && votedFor !== request.candidateId)) {
    throw new Violation(
      "A12 durable before said",
      `node ${node.id} grants a vote in term ${request.term}, and ${formatVote(node.durableVote)} is durable`,
    );
  }
}

function checkAppendAnswer(
  node: ObservedNode,
  response: { readonly type: string; readonly term: number; readonly matchIndex: number },
): void {
  if (response.type !== "success" || response.term !== node.durableTerm) return;
  const durable = Math.max(node.durableHigh, node.durableIndex, node.state.snapshot.lastLogId.index);
  if (response.matchIndex > durable) {
    throw new Violation(
      "A12 durable before said",
      `node ${node.id} acknowledges ${response.matchIndex}, and ${durable} is durable`,
    );
  }
}

/** B10: from one set of voters to another only through both, and out of both only once they are committed. */
function checkSuccession(name: string, node: ObservedNode, state: EngineState, logId: LogId): void {
  const next = state.memberships.find((stored) => stored.logId.index === logId.index);
  const before = state.memberships[state.memberships.indexOf(next as StoredMembership<unknown>) - 1];
  if (next === undefined || before === undefined || before.membership.configs.length === 0) return;
  const from = before.membership.configs;
  const to = next.membership.configs;
  const isSame = from.length === 1 && to.length === 1 && sameIds(from[0], to[0]);
  const enters = from.length === 1 && to.length === 2 && sameIds(from[0], to[0]);
  const leaves =
    from.length === 2 &&
    to.length === 1 &&
    sameIds(from[1], to[0]) &&
    state.committed.index >= before.logId.index;
  if (isSame || enters || leaves) return;
  throw new Violation(
    "B10 successive memberships overlap",
    `${name} goes from ${JSON.stringify(from)} to ${JSON.stringify(to)} (${node.role})`,
  );
}

function sameIds(a: readonly NodeId[] | undefined, b: readonly NodeId[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((id, i) => b[i] === id);
}
