import type { Socket } from "node:net";

interface Connection {
  readonly socket: Socket;
  streams: number;
  timer: NodeJS.Timeout | null;
}

/** The sockets of a listener, each with how many streams it carries. Those that carry none for long are closed. */
export class Connections {
  readonly #idleTimeoutMs: number;
  readonly #byPeer = new Map<string, Connection>();

  constructor(idleTimeoutMs: number) {
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  get size(): number {
    return this.#byPeer.size;
  }

  add(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    // Gone before anybody looked.
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const peer = `${remoteAddress}:${remotePort}`;
    const connection: Connection = { socket, streams: 0, timer: null };
    this.#byPeer.set(peer, connection);
    this.#watch(connection);
    // What is wrong with it is no concern of the node, which only has to live on.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      if (connection.timer !== null) clearTimeout(connection.timer);
      if (this.#byPeer.get(peer) === connection) this.#byPeer.delete(peer);
    });
  }

  /** @param peer as gRPC names it: address and port. @returns what is to be called once the stream is over. */
  opened(peer: string): () => void {
    const connection = this.#byPeer.get(peer);
    if (connection === undefined) return () => {};
    connection.streams++;
    if (connection.timer !== null) clearTimeout(connection.timer);
    connection.timer = null;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      connection.streams--;
      if (connection.streams === 0 && !connection.socket.destroyed) this.#watch(connection);
    };
  }

  destroy(): void {
    for (const { socket } of this.#byPeer.values()) socket.destroy();
  }

  #watch(connection: Connection): void {
    connection.timer = setTimeout(() => connection.socket.destroy(), this.#idleTimeoutMs);
  }
}
