import type { NodeId } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import { MAX_TERM } from "../engine/vote-rule.js";
import type { Instruments } from "./instruments.js";

/** How far beyond its own a node believes a term: with an election each millisecond it takes seven weeks to get there. */
const MAX_LEAP: number = 2 ** 32;

/** Senders that are named in the log. */
const MAX_TOLD = 64;

/**
 * Which terms of others a node believes. A term that is taken over is kept and passed on by the whole cluster, and none comes after the
 * last: one damaged message could end its elections for good. Who knows of no term yet believes any that there can be: it may be new in
 * a cluster however old.
 */
export class TermBound {
  readonly #own: () => number;
  readonly #instruments: Instruments;
  /** A peer that says such a term goes on saying it. */
  readonly #told = new Set<NodeId>();
  #refused = 0;

  /** @param own the term of this node. */
  constructor(own: () => number, instruments: Instruments) {
    this.#own = own;
    this.#instruments = instruments;
  }

  /** Messages that were refused. */
  get refused(): number {
    return this.#refused;
  }

  /** @throws {InvalidValueError} that names `field` when `term`, which `from` says, is beyond what this node believes. */
  check(field: string, term: number, from: NodeId): void {
    const own = this.#own();
    const bound = own === 0 ? MAX_TERM : Math.min(MAX_TERM, own + MAX_LEAP);
    if (term <= bound) return;
    this.#refused += 1;
    if (this.#told.size < MAX_TOLD && !this.#told.has(from)) {
      this.#told.add(from);
      this.#instruments.log("warn", "raft.term.refused", { peer: from, field, term, own });
    }
    throw new InvalidValueError(field, term, `at most ${bound}, for a node in term ${own}`);
  }
}
