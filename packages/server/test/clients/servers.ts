import { startRedis } from "../diff-redis/redis-process.ts";
import { SeshatProcess } from "../seshat-process.js";

/** A server that clients are run against. Redis too, where it is installed: what is expected here is what Redis does. */
export interface ClientServer extends AsyncDisposable {
  readonly port: number;
  /** Kills it and starts it again, with what it has kept. Redis keeps nothing here, and cannot. */
  readonly restart?: () => Promise<void>;
}

export async function startSeshatServer(): Promise<ClientServer> {
  const seshat = await SeshatProcess.start();
  return {
    port: seshat.port,
    restart: () => seshat.restart(),
    [Symbol.asyncDispose]: () => seshat[Symbol.asyncDispose](),
  };
}

export async function startRedisServer(): Promise<ClientServer> {
  const redis = await startRedis("redis", { onPort: true });
  return { port: redis.port, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() };
}
