import type { ServerContext } from "./context.js";

/** How often it is looked who says nothing, in milliseconds. */
const LOOK_MS = 1000;

/** Disconnects clients that have said nothing for longer than `timeout` allows. */
export class IdleClients {
  readonly #timer: NodeJS.Timeout;

  constructor(server: Pick<ServerContext, "clients" | "limits" | "now">) {
    this.#timer = setInterval(() => {
      const { idleSeconds } = server.limits;
      if (idleSeconds === 0) return;
      const since = server.now() - idleSeconds * 1000;
      for (const client of server.clients) {
        if (client.state.lastActiveMs < since && client.inFlight === 0) client.destroy();
      }
    }, LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
