import type { AppendEntriesResponse, AppendEntriesSuccess } from "@seshat/common";

/**
 * Makes one answer out of those to the portions of one AppendEntries request, which are sent one after another without
 * waiting. A success of a later portion speaks for the earlier ones too: the follower's log has them.
 */
export class PortionedAnswer {
  readonly #settle: (response: AppendEntriesResponse | null, incarnation: number) => void;
  readonly #last: number;
  /** Portions of which nothing is known yet. */
  #open: number;
  #best: AppendEntriesSuccess | null = null;
  /** The store that the answers come from. */
  #incarnation = 0;
  #settled = false;

  /**
   * @param portions how many there are, at least one.
   * @param settle called once: with the answer and the store that it came from, or with null when nothing is known of what the
   *   follower did.
   */
  constructor(
    portions: number,
    settle: (response: AppendEntriesResponse | null, incarnation: number) => void,
  ) {
    this.#open = portions;
    this.#last = portions - 1;
    this.#settle = settle;
  }

  /** True once the answer is known: what was not sent yet need not be. */
  get settled(): boolean {
    return this.#settled;
  }

  /** The portion at `position` was answered, from the store `incarnation`. */
  answered(position: number, response: AppendEntriesResponse, incarnation: number): void {
    if (this.#incarnation !== 0 && incarnation !== this.#incarnation) {
      // The follower lost its store between two portions: what one store has the other does not acknowledge.
      this.#end(null);
      return;
    }
    this.#incarnation = incarnation;
    switch (response.type) {
      case "refused":
        this.#end(response);
        return;
      case "conflict":
        // A later portion that does not fit only says that one before it did not arrive, or not yet.
        if (position === 0) this.#end(response);
        else this.#close();
        return;
      case "success":
        if (this.#best === null || response.matchIndex > this.#best.matchIndex) this.#best = response;
        if (position === this.#last) this.#end(response);
        else this.#close();
    }
  }

  /** A portion was not answered. */
  lost(): void {
    this.#close();
  }

  #close(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#end(this.#best);
  }

  #end(response: AppendEntriesResponse | null): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(response, this.#incarnation);
  }
}
