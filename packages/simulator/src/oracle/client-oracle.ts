import type { Model } from "../linearizability/model.js";
import { ILLEGAL } from "../linearizability/model.js";
import { Violation } from "./violation.js";

/** One request of a client to write, however often it was sent. */
interface Attempt<I> {
  readonly input: I;
  /** Where in the log it was applied; null while it was not. */
  appliedAt: number | null;
  /** True once its client was told that it did not take effect. */
  refused: boolean;
}

/** What a key held from the entry at `index` on. */
interface Version<S> {
  readonly index: number;
  readonly state: S;
}

interface KeyHistory<S> {
  /** In order of the log. The first is of before any write. */
  readonly versions: Version<S>[];
  /** The newest write that was acknowledged, and the newest version that a read saw: no read that begins now may see an older one. */
  acknowledged: number;
  seen: number;
  /** A read found nothing there, at this index. */
  absentAt: number;
}

/** A read that is under way: what it must see at least. */
export interface ReadFloor {
  readonly key: string;
  readonly acknowledged: number;
  readonly seen: number;
}

/** What a client oracle goes by. */
export interface ClientRules<S, I, O> {
  /** What commands do, and what they answer. */
  readonly model: Model<S, I, O>;
  /** Which attempt a command is of; null when none is known. */
  attemptOf(command: unknown): number | null;
  /** What the client gets for what the state machine answers. */
  outputOf(response: unknown, input: I): O;
}

/**
 * Follows each request of a client into the log and each answer back out (C1 to C7, C9), while a run is under way. The check of the whole history
 * (C8) sees less, for it knows nothing of the log, and comes only at the end.
 *
 * Each check throws when it does not hold.
 */
export class ClientOracle<S, I, O> {
  readonly #rules: ClientRules<S, I, O>;
  readonly #attempts: Attempt<I>[] = [];
  /** Which attempt was applied at an index. */
  readonly #applied = new Map<number, number>();
  readonly #keys = new Map<string, KeyHistory<S>>();

  constructor(rules: ClientRules<S, I, O>) {
    this.#rules = rules;
  }

  /** A client begins to write. @returns the number of the attempt, for its command to carry. */
  begins(input: I): number {
    return this.#attempts.push({ input, appliedAt: null, refused: false }) - 1;
  }

  /** Its client was told that it took effect. C3: then it is in the log, and applied, no later than where the answer says. */
  acknowledged(attempt: number, logIndex: number): void {
    const { input, appliedAt } = this.#attempt(attempt);
    if (appliedAt === null || appliedAt > logIndex) {
      throw new Violation(
        "C3 acknowledged writes are never lost",
        `attempt ${attempt} was acknowledged at ${logIndex}, and was ${appliedAt === null ? "not applied" : `applied at ${appliedAt}`}`,
      );
    }
    const history = this.#history(this.#keyOf(input));
    history.acknowledged = Math.max(history.acknowledged, appliedAt);
  }

  /** Its client was told that it did not take effect, and never will. */
  refused(attempt: number): void {
    const known = this.#attempt(attempt);
    known.refused = true;
    this.#checkRefused(attempt, known);
  }

  /** A state machine applied a command. Only the first of all nodes tells something new. */
  applied(index: number, command: unknown, response: unknown): void {
    const attempt = this.#rules.attemptOf(command);
    if (this.#applied.has(index)) return;
    const known = attempt === null ? undefined : this.#attempts[attempt];
    if (attempt === null || known === undefined)
      throw new Violation(
        "C1 no phantoms",
        `nobody asked for the command at ${index}: ${JSON.stringify(command)}`,
      );
    if (known.appliedAt !== null) {
      throw new Violation(
        "C2 one write, one log id",
        `attempt ${attempt} was applied at ${known.appliedAt}, and again at ${index}`,
      );
    }
    this.#applied.set(index, attempt);
    known.appliedAt = index;
    this.#checkRefused(attempt, known);
    this.#follow(index, known.input, this.#rules.outputOf(response, known.input));
  }

  /** A client begins to read. */
  reads(query: I): ReadFloor {
    const key = this.#keyOf(query);
    const { acknowledged, seen } = this.#history(key);
    return { key, acknowledged, seen };
  }

  /** A linearizable read was served. @param servedAt what had been applied where it was served, at least. */
  read({ key, acknowledged, seen }: ReadFloor, query: I, output: O, servedAt: number): void {
    const history = this.#history(key);
    const { versions } = history;
    const floor = Math.max(acknowledged, seen);
    // What was there at the floor, or came after it.
    const first = versions.findLastIndex(({ index }) => index <= floor);
    const found = versions.findIndex((version, i) => i >= first && this.#explains(version, query, output));
    if (found < 0) throw this.#unexplained({ key, acknowledged, seen }, query, output);
    const { index } = versions[found] as Version<S>;
    history.seen = Math.max(history.seen, index);
    if (index === 0) history.absentAt = Math.max(history.absentAt, servedAt);
  }

  /** C3 and A9, at rest: a member holds what the writes of a key left. */
  holds(node: number, query: I, output: O): void {
    const key = this.#keyOf(query);
    const newest = this.#history(key).versions.at(-1) as Version<S>;
    if (this.#explains(newest, query, output)) return;
    throw new Violation(
      "C3 acknowledged writes are never lost",
      `node ${node} holds ${JSON.stringify(output)} under ${key}, and the last write, at ${newest.index}, left ${this.#rules.model.stateKey(newest.state)}`,
    );
  }

  #unexplained({ key, acknowledged, seen }: ReadFloor, query: I, output: O): Violation {
    const { versions } = this.#history(key);
    const older = versions.findLast((version) => this.#explains(version, query, output));
    const what = `a read of ${key} saw ${JSON.stringify(output)}`;
    if (older === undefined) return new Violation("C1 no phantoms", `${what}, which nobody wrote`);
    const of = `that was there from ${older.index} on`;
    return acknowledged >= seen
      ? new Violation("C4 read your writes", `${what}; ${of}, and ${acknowledged} was acknowledged before`)
      : new Violation("C5 monotonic reads", `${what}; ${of}, and ${seen} was read before`);
  }

  /** C6, C7: the answer is the one that the newest write below gives, and nothing comes up where nothing was. */
  #follow(index: number, command: I, response: O): void {
    const key = this.#keyOf(command);
    const history = this.#history(key);
    const { state } = history.versions.at(-1) as Version<S>;
    if (index <= history.absentAt) {
      throw new Violation(
        "C7 absent stays absent",
        `a write of ${key} comes up at ${index}, and a read at ${history.absentAt} found nothing`,
      );
    }
    const next = this.#rules.model.step(state, command, response);
    if (next === ILLEGAL) {
      throw new Violation(
        "C6 answers come from the newest write below",
        `${JSON.stringify(command)} at ${index} answers ${JSON.stringify(response)}, over ${this.#rules.model.stateKey(state)}`,
      );
    }
    history.versions.push({ index, state: next });
  }

  #checkRefused(attempt: number, { refused, appliedAt }: Attempt<I>): void {
    if (!refused || appliedAt === null) return;
    throw new Violation(
      "C9 refused means not done",
      `attempt ${attempt} was refused, and is applied at ${appliedAt}`,
    );
  }

  #explains({ state }: Version<S>, query: I, output: O): boolean {
    return this.#rules.model.step(state, query, output) !== ILLEGAL;
  }

  #attempt(attempt: number): Attempt<I> {
    return this.#attempts[attempt] as Attempt<I>;
  }

  #keyOf(input: I): string {
    return this.#rules.model.partition?.(input) ?? "";
  }

  #history(key: string): KeyHistory<S> {
    let history = this.#keys.get(key);
    if (history === undefined) {
      const versions = [{ index: 0, state: this.#rules.model.init() }];
      history = { versions, acknowledged: 0, seen: 0, absentAt: -1 };
      this.#keys.set(key, history);
    }
    return history;
  }
}
