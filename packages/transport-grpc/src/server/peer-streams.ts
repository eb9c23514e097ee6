/** How many streams of one kind a peer may have: a new one while an old one is not known to be dead, and some for restarts. */
const MAX_STREAMS = 4;

/** The open streams of the peers, by peer and kind. Of too many the oldest ends. */
export class PeerStreams<S extends { end(): void }> {
  readonly #streams = new Map<string, Set<S>>();

  /** @param key the peer and the kind. */
  add(key: string, stream: S): void {
    let streams = this.#streams.get(key);
    if (streams === undefined) {
      streams = new Set();
      this.#streams.set(key, streams);
    }
    streams.add(stream);
    const [oldest] = streams;
    if (streams.size > MAX_STREAMS) oldest?.end();
  }

  remove(key: string, stream: S): void {
    const streams = this.#streams.get(key);
    streams?.delete(stream);
    if (streams?.size === 0) this.#streams.delete(key);
  }

  endAll(): void {
    for (const streams of this.#streams.values()) for (const stream of streams) stream.end();
  }
}
