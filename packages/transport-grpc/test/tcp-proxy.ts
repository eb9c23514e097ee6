import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { parseAddress } from "../src/address.js";

/** Passes connections on to a node, until they are cut or held up. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The connections there are: who connected, and where that leads. */
  readonly #ways = new Map<Socket, Socket>();
  readonly #heldBack = new Set<Socket>();
  readonly address: string;
  #holds = false;
  #refuses = false;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("connection", (socket) => this.#pass(socket, target));
  }

  static async start(target: string): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TcpProxy(server, target);
  }

  /** Cuts every connection there is. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** From now on nothing more gets through, and nobody is told: the cable is out. New connections are taken and stay silent. */
  hold(): void {
    this.#holds = true;
    for (const socket of this.#sockets) socket.pause().unpipe();
  }

  /**
   * What is sent to the node from now on, over the connections that there are, is kept here, also when who sends it has given up: it arrives, late, once
   * the result is called. Answers get through.
   */
  holdBack(): () => void {
    const released = [...this.#ways].map(([socket, onward]) => {
      this.#heldBack.add(socket);
      const kept: Buffer[] = [];
      socket.unpipe(onward);
      socket.on("data", (chunk: Buffer) => kept.push(chunk));
      return () => {
        this.#heldBack.delete(socket);
        for (const chunk of kept.splice(0)) onward.write(chunk);
        if (socket.destroyed) onward.end();
        else socket.removeAllListeners("data").pipe(onward);
      };
    });
    return () => {
      for (const release of released) release();
    };
  }

  /** Cuts what is held back off from who sends it. */
  drop(): void {
    for (const socket of this.#heldBack) socket.destroy();
  }

  /** Whether new connections are cut at once. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses;
  }

  /** New connections get through again; those that were held up never do. */
  mend(): void {
    this.#holds = false;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  #pass(socket: Socket, target: string): void {
    this.#keep(socket);
    if (this.#refuses) {
      socket.destroy();
      return;
    }
    if (this.#holds) return;
    const { host, port } = parseAddress("target", target);
    const onward = connect({ host, port, noDelay: true });
    this.#keep(onward);
    socket.pipe(onward);
    onward.pipe(socket);
    this.#ways.set(socket, onward);
    socket.once("close", () => {
      this.#ways.delete(socket);
      if (!this.#heldBack.has(socket)) onward.destroy();
    });
    onward.once("close", () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
