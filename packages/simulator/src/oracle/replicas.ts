import type { NodeId } from "@seshat/common";
import { shorten } from "./canonical.js";
import type { Content } from "./content.js";
import { describeDifference } from "./content.js";
import { Violation } from "./violation.js";

/** A command of the log, and what the first replica that applied it answered. */
export interface AppliedCommand<D> {
  readonly index: number;
  readonly command: D;
  /** The command as it was before it was applied. */
  readonly text: string;
  /** Of the command, likewise. */
  readonly hash: number;
  readonly reply: string;
  readonly node: NodeId;
}

/** That replicas differ, and where this showed. */
export interface Divergence {
  readonly violation: Violation;
  /** The index of the command at which it showed. */
  readonly index: number;
}

interface Captured {
  readonly hash: number;
  readonly node: NodeId;
  /** Null where it is long ago. */
  bytes: Uint8Array | null;
}

/** Captures of which the bytes are kept, to show how others differ: states may be large. */
const MAX_BYTES_KEPT = 16;

/** What all replicas of a state machine answered and captured in a run: at one index, the same. */
export class Replicas<D> {
  readonly #applied = new Map<number, AppliedCommand<D>>();
  /** What was captured first after the command at an index. */
  readonly #captured = new Map<number, Captured>();
  readonly #contents = new Set<number>();
  readonly #newest: Captured[] = [];
  #divergence: Divergence | null = null;

  /** That replicas differ; null while they do not. */
  get divergence(): Divergence | null {
    return this.#divergence;
  }

  /** What was applied, in the order of the log. */
  log(): AppliedCommand<D>[] {
    return [...this.#applied.values()].sort((a, b) => a.index - b.index);
  }

  /** What was applied at an index; undefined when nobody has applied it. */
  at(index: number): AppliedCommand<D> | undefined {
    return this.#applied.get(index);
  }

  /** A command was applied, and nobody had applied it before. */
  first(applied: AppliedCommand<D>): void {
    this.#applied.set(applied.index, applied);
  }

  /** B5: a command was applied again. @throws {Violation} when it is answered differently. */
  again({ index, text, ...known }: AppliedCommand<D>, node: NodeId, reply: string): void {
    if (known.reply === reply) return;
    this.#diverge(
      index,
      new Violation(
        "B5 state machine safety",
        `${whose(known.node, node)} answered differently to entry ${index} (command ${shorten(text)}): ${shorten(known.reply)} and ${shorten(reply)}. What apply answers, and the state that it leaves, must depend on the state and the entry alone.`,
      ),
    );
  }

  /** B12, B5. @throws {Violation} when others captured something else after the same command. */
  captured(node: NodeId, index: number, content: Content): void {
    this.#contents.add(content.hash);
    const known = this.#captured.get(index);
    if (known === undefined) {
      const captured = { hash: content.hash, node, bytes: content.bytes };
      this.#captured.set(index, captured);
      this.#newest.push(captured);
      const old = this.#newest.length > MAX_BYTES_KEPT ? this.#newest.shift() : undefined;
      if (old !== undefined) old.bytes = null;
      return;
    }
    if (known.hash === content.hash) return;
    const how = known.bytes === null ? "" : ` ${describeDifference(known.bytes, content.bytes)}`;
    this.#diverge(
      index,
      new Violation(
        "B5 state machine safety",
        `${whose(known.node, node)} have different states after entry ${index}: what they captured differs${how}. Equal states must be captured as equal bytes, and the state must depend on the entries alone.`,
      ),
    );
  }

  /** True when a replica captured this. */
  wasCaptured(content: Content): boolean {
    return this.#contents.has(content.hash);
  }

  #diverge(index: number, violation: Violation): void {
    this.#divergence ??= { violation, index };
    throw violation;
  }
}

function whose(known: NodeId, node: NodeId): string {
  return known === node ? `two lives of node ${node}` : `node ${known} and node ${node}`;
}
