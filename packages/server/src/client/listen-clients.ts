import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";
import { once } from "node:events";
import type { ServerContext } from "../server/context.js";
import { Client } from "./client.js";
import { formatAddress } from "../cluster/host-and-port.js";
import { isLoopback } from "./client-state.js";

/** Where clients connect. */
export interface ClientListener {
  /** `host:port`, with the port that was taken. */
  readonly address: string;
  /** Accepts nobody any more. Who is connected stays. */
  stop(): void;
  /** Ends every connection. Ends once the port is free. */
  close(): Promise<void>;
}

const FULL = "-ERR max number of clients reached\r\n";
const PROTECTED =
  "-DENIED Seshat is running in protected mode because no password is set: clients on other machines are not served. " +
  "Set a password (requirepass) to serve them.\r\n";

/**
 * Listens for clients.
 *
 * @param context made once the address is known.
 * @throws The error of the system when it cannot listen there.
 */
export async function listenClients(
  host: string,
  port: number,
  context: (address: string) => ServerContext,
): Promise<ClientListener> {
  let server: ServerContext | null = null;
  const listener: Server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
    if (server === null) socket.destroy();
    else accept(socket, server);
  });
  listener.listen({ host, port, backlog: BACKLOG });
  await once(listener, "listening");
  const { address, port: taken } = listener.address() as AddressInfo;
  const text = formatAddress(address, taken);
  server = context(text);
  const { logger, clients } = server;
  listener.on("error", (error) => logger.log("error", "clients.listen.failed", { error: error.message }));
  return {
    address: text,
    stop: () => void listener.close(),
    close: async () => {
      const closed = listener.listening ? once(listener, "close") : Promise.resolve();
      if (listener.listening) listener.close();
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}

/** Connections that the system keeps for us until we accept them. */
const BACKLOG = 4096;

function accept(socket: Socket, server: ServerContext): void {
  const { clients, limits, stats } = server;
  const refusal =
    clients.size >= limits.maxClients
      ? FULL
      : limits.password === "" && !isLoopback(socket.remoteAddress ?? "")
        ? PROTECTED
        : null;
  if (refusal !== null) {
    stats.rejectedConnections += 1;
    socket.on("error", () => {});
    socket.end(refusal, () => socket.destroy());
    return;
  }
  stats.connections += 1;
  clients.add(new Client(clients.nextId(), socket, server));
}
