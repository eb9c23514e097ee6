import { randomInt } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { forwardBytes } from "./forward-bytes.js";
import { Gate } from "./gate.js";
import type { ChaosNetwork, Place } from "./network.js";

const HOST = "127.0.0.1";
const REROUTE = new URL("../preload/reroute.js", import.meta.url).href;

/**
 * All nodes on loopback, and between each two of them a proxy, which the connecting node's process is told to go through. It holds back what is said while
 * the way is cut, and can bring it late.
 */
export class ProxyNetwork implements ChaosNetwork {
  readonly kind = "proxies";
  readonly #ports = new Map<number, { readonly clients: number; readonly peers: number }>();
  readonly #gates = new Map<string, Gate>();
  /** The ports of the proxies, by `from-to`. */
  readonly #proxies = new Map<string, number>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /** @param ids of all nodes that there will ever be: a process learns its ways as it starts. */
  static async open(ids: readonly number[]): Promise<ProxyNetwork> {
    const network = new ProxyNetwork();
    const ports = await freePorts(2 * ids.length);
    for (const [at, id] of ids.entries()) {
      network.#ports.set(id, { clients: ports[2 * at] as number, peers: ports[2 * at + 1] as number });
    }
    for (const from of ids) for (const to of ids) if (from !== to) await network.#listen(from, to);
    return network;
  }

  async place(id: number): Promise<Place> {
    const { clients, peers } = this.#portsOf(id);
    const routes = [...this.#ports].flatMap(([to, port]) =>
      to === id ? [] : [[`${HOST}:${port.peers}`, this.#proxies.get(`${id}-${to}`)]],
    );
    return {
      host: HOST,
      clientPort: clients,
      peerPort: peers,
      prefix: [],
      env: { CHAOS_ROUTES: JSON.stringify(Object.fromEntries(routes)) },
      preloads: [REROUTE],
    };
  }

  async cut(from: number, to: number): Promise<void> {
    this.#gate(from, to).shut();
  }

  async mend(): Promise<void> {
    for (const gate of this.#gates.values()) gate.open();
  }

  /** From now on everything takes so long from one node to another, one way. */
  delay(ms: number): void {
    for (const gate of this.#gates.values()) gate.delayMs = ms;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.mend();
  }

  #portsOf(id: number): { readonly clients: number; readonly peers: number } {
    const ports = this.#ports.get(id);
    if (ports === undefined) throw new Error(`node ${id} has no place in this network`);
    return ports;
  }

  #gate(from: number, to: number): Gate {
    const key = `${from}-${to}`;
    let gate = this.#gates.get(key);
    if (gate === undefined) this.#gates.set(key, (gate = new Gate()));
    return gate;
  }

  async #listen(from: number, to: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#hold(socket);
      void this.#connect(socket, from, to);
    });
    server.listen(0, HOST);
    await once(server, "listening");
    this.#servers.push(server);
    this.#proxies.set(`${from}-${to}`, (server.address() as AddressInfo).port);
  }

  async #connect(socket: Socket, from: number, to: number): Promise<void> {
    const [there, back] = [this.#gate(from, to), this.#gate(to, from)];
    socket.on("error", () => {});
    // A connection is made by packets of both ways.
    while (there.isShut || back.isShut) await Promise.all([there.passed(), back.passed()]);
    if (socket.destroyed) return;
    const port = this.#portsOf(to).peers;
    const peer = connect({ host: HOST, port, allowHalfOpen: true, noDelay: true });
    this.#hold(peer);
    forwardBytes(socket, peer, there);
    forwardBytes(peer, socket, back);
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

/** Ports that were free just now, and below those that systems give to connections: a node that is down is to find its own free. */
async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let attempt = 0; servers.length < count; attempt++) {
    if (attempt === 100 * count) throw new Error(`there are not ${count} ports free`);
    const server = createServer().listen(randomInt(12_000, 32_000), HOST);
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (isFree) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
