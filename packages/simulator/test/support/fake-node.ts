import type { EntryPayload, LogEntry, LogId, NodeId, StoredMembership, Vote } from "@seshat/common";
import { createMembership, ZERO_LOG_ID, ZERO_VOTE } from "@seshat/common";
import type { EngineStep } from "@seshat/raft";
import type { Oracle } from "../../src/oracle/oracle.js";

type Commands = EngineStep["commands"];
type Event = EngineStep["event"];

/** A membership of these voters, as the entry at `index` brings it. */
export function membershipAt(
  index: number,
  configs: readonly (readonly NodeId[])[],
  term = 1,
  incarnations: readonly (readonly [NodeId, number])[] = [],
): StoredMembership<unknown> {
  const nodes = configs.flat().map((id): [NodeId, unknown] => [id, {}]);
  return { logId: { term, index }, membership: createMembership(configs, nodes, { incarnations }) };
}

export function entry(
  term: number,
  index: number,
  value: unknown = `${term}-${index}`,
): LogEntry<unknown, unknown> {
  return { logId: { term, index }, payload: { type: "normal", data: value } };
}

/** A node in whose mouth a test puts what it likes: its engine does what the test says, right or wrong. */
export class FakeNode {
  vote: Vote = ZERO_VOTE;
  role = "follower";
  purged: LogId = ZERO_LOG_ID;
  snapshot: LogId = ZERO_LOG_ID;
  applied: LogId = ZERO_LOG_ID;
  committed: LogId = ZERO_LOG_ID;
  dispatchedIndex = 0;
  memberships: StoredMembership<unknown>[];
  /** The log after what was purged. */
  readonly entries: LogEntry<unknown, unknown>[] = [];
  readonly id: NodeId;
  readonly #oracle: Oracle;

  constructor(oracle: Oracle, id: NodeId, voters: readonly NodeId[] = [1, 2, 3]) {
    this.#oracle = oracle;
    this.id = id;
    this.memberships = [membershipAt(0, [voters], 0)];
  }

  /** Begins a life with what it has. */
  start(): this {
    this.#oracle.started(this.#state());
    return this;
  }

  /** Is in this term, and that is durable. */
  inTerm(term: number, votedFor: NodeId | null = null): this {
    this.vote = { term, votedFor, committed: false };
    this.saved();
    return this.step();
  }

  /** Leads its term. */
  leads(term: number): this {
    this.inTerm(term, this.id);
    this.role = "leader";
    return this.step();
  }

  saved(): void {
    this.#oracle.storageOf(this.id).voteSaved(this.vote);
  }

  /** Appends entries; they are durable unless said otherwise. */
  append(entries: readonly LogEntry<unknown, unknown>[], durable = true): this {
    for (const { logId, payload } of entries) {
      this.entries.push({ logId, payload });
      if (payload.type === "membership") this.memberships.push({ logId, membership: payload.membership });
    }
    this.step({ commands: [{ type: "append", ioSeq: 1, entries }] });
    const done = this.#oracle.storageOf(this.id).appending(entries.map(({ logId }) => logId));
    if (durable) done();
    return this;
  }

  appendMembership(term: number, index: number, configs: readonly (readonly NodeId[])[]): this {
    const { membership } = membershipAt(index, configs, term);
    const payload: EntryPayload<unknown, unknown> = { type: "membership", membership };
    return this.append([{ logId: { term, index }, payload }]);
  }

  truncate(since: number): this {
    this.entries.splice(since - 1 - this.purged.index);
    this.memberships = this.memberships.filter(({ logId }) => logId.index < since);
    this.step({ commands: [{ type: "truncate", ioSeq: 1, since }] });
    this.#oracle.storageOf(this.id).truncating(since)();
    return this;
  }

  commit(index: number): this {
    this.committed = this.entries[index - 1 - this.purged.index]?.logId ?? { term: 0, index };
    return this.step();
  }

  step({ event = { type: "timer" }, commands = [] }: { event?: Event; commands?: Commands } = {}): this {
    this.#oracle.step({ event, commands, state: this.#state(), now: 0 });
    return this;
  }

  /** Live, as an engine's is. */
  #state(): EngineStep["state"] {
    const last = (): LogId => this.entries.at(-1)?.logId ?? this.purged;
    const log = {
      termAt: (index: number) =>
        index === this.purged.index
          ? this.purged.term
          : this.entries.find(({ logId }) => logId.index === index)?.logId.term,
    };
    Object.defineProperties(log, {
      purged: { get: () => this.purged },
      last: { get: last },
    });
    const state = { id: this.id, incarnation: 7, log };
    Object.defineProperties(state, {
      vote: { get: () => this.vote },
      role: { get: () => ({ type: this.role }) },
      committed: { get: () => this.committed },
      applied: { get: () => this.applied },
      dispatchedIndex: { get: () => this.dispatchedIndex },
      memberships: { get: () => this.memberships },
      snapshot: { get: () => ({ lastLogId: this.snapshot }) },
      io: { get: () => ({ durableIndex: last().index }) },
    });
    return state as unknown as EngineStep["state"];
  }
}
