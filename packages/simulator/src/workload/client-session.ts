import type { SessionCommand } from "@seshat/common";

/** The session of one client: it numbers the writes, so that one that is sent again takes effect once. */
export class ClientSession {
  #id: number | null = null;
  #sequence = 0;

  /** The number of the next write. @param open opens a session; null when there is none to be had now. */
  async next(open: () => Promise<number | null>): Promise<SessionCommand | null> {
    if (this.#id === null) {
      this.#id = await open();
      this.#sequence = 0;
    }
    if (this.#id === null) return null;
    this.#sequence += 1;
    return { sessionId: this.#id, sequence: this.#sequence, answeredBelow: this.#sequence };
  }

  /** The next write opens another one. */
  forget(): void {
    this.#id = null;
  }
}
