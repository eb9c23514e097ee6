/**
 * The bytes that a peer has at work by one way. It outlives deadlines and streams: what was handed over holds its bytes until whoever works
 * on it has done with it, whether or not the peer still waits for the answer.
 */
export class Room {
  readonly #rooms: Map<string, Room>;
  readonly #key: string;
  /** Of the streams that use it: told when there is more of it. */
  readonly #users = new Set<() => void>();
  #bytes = 0;

  constructor(rooms: Map<string, Room>, key: string) {
    this.#rooms = rooms;
    this.#key = key;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param more is told when there is. @returns what ends that. */
  use(more: () => void): () => void {
    this.#rooms.set(this.#key, this);
    this.#users.add(more);
    return () => {
      this.#users.delete(more);
      this.#tidy();
    };
  }

  enter(bytes: number): void {
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#bytes -= bytes;
    for (const more of this.#users) more();
    this.#tidy();
  }

  #tidy(): void {
    if (this.#users.size === 0 && this.#bytes === 0) this.#rooms.delete(this.#key);
  }
}

/** The rooms of the peers, each as long as something is in it or may come. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();

  get size(): number {
    return this.#rooms.size;
  }

  /** @param key the peer and the way. */
  of(key: string): Room {
    return this.#rooms.get(key) ?? new Room(this.#rooms, key);
  }
}
