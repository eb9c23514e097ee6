/** Loaded before the server's program: connections to other nodes go through the proxies of the test. `CHAOS_ROUTES` maps `host:port` to a port. */
import { Socket } from "node:net";

const routes = JSON.parse(process.env["CHAOS_ROUTES"] ?? "{}") as Readonly<Record<string, number>>;

type Connect = (this: Socket, ...args: unknown[]) => Socket;
const connect = Reflect.get(Socket.prototype, "connect") as Connect;

Reflect.set(Socket.prototype, "connect", function reroute(this: Socket, ...args: unknown[]): Socket {
  // `net.connect` hands over an array that it has made of its arguments.
  const first: unknown = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (typeof first === "object" && first !== null && "port" in first && "host" in first) {
    const port = routes[`${String(first.host)}:${String(first.port)}`];
    if (port !== undefined) first.port = port;
  }
  return connect.apply(this, args);
});
