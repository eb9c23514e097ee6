import { startRedis } from "./redis-process.ts";
import type { RunningServer } from "./redis-process.ts";

/** The server that is compared: Redis itself, or one that runs already. */
export async function startOther(against: string): Promise<RunningServer> {
  if (against === "redis") return startRedis("redis again");
  const colon = against.lastIndexOf(":");
  const address = { host: against.slice(0, colon), port: Number(against.slice(colon + 1)) };
  return { target: { name: against, address }, [Symbol.asyncDispose]: () => Promise.resolve() };
}
