import type { ServerContext } from "./context.js";

/** How often it is looked who says nothing, in milliseconds. */
const LOOK_MS = 1000;

/** Disconnects clients that have said nothing for longer than `timeout` allows since everything they said was answered. */
export class IdleClients {
  readonly #timer: NodeJS.Timeout;

  constructor(server: Pick<ServerContext, "clients" | "limits" | "now">) {
    this.#timer = setInterval(() => {
      const { idleSeconds } = server.limits;
      if (idleSeconds === 0) return;
      const now = server.now();
      for (const client of server.clients) {
        const { state } = client;
        if (client.isAtWork) state.lastActiveMs = now;
        else if (state.lastActiveMs < now - idleSeconds * 1000) client.destroy();
      }
    }, LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
