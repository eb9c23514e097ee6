import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { parseAddress } from "../src/address.js";

/** Passes connections on to a node, until they are cut or held up. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
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
    socket.once("close", () => onward.destroy());
    onward.once("close", () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
