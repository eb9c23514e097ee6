import { SeshatProcess } from "../seshat-process.ts";
import { Connection } from "./connection.ts";
import { startRedis } from "./redis-process.ts";
import type { RunningServer } from "./redis-process.ts";

/** The server that is compared: Redis itself, one that runs already, or a Seshat started for it. */
export async function startOther(against: string | undefined): Promise<RunningServer> {
  if (against === undefined) return startSeshat();
  if (against === "redis") return startRedis("redis again");
  const colon = against.lastIndexOf(":");
  const address = { host: against.slice(0, colon), port: Number(against.slice(colon + 1)) };
  return { target: { name: against, address }, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** One durable node, with Redis's limits for keys and values in the place of its own. */
export async function startSeshat(): Promise<RunningServer> {
  const server = await SeshatProcess.start();
  const address = { host: "127.0.0.1", port: server.port };
  const connection = await Connection.open(address);
  const [reply] = await connection.send([
    ["CONFIG", "SET", "max-key-bytes", "512mb", "max-value-bytes", "512mb"],
  ]);
  connection.close();
  if (typeof reply === "object" && reply !== null && "type" in reply && reply.type === "error") {
    throw new Error(`Seshat keeps its own limits: ${reply.message}`);
  }
  return { target: { name: "seshat", address }, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
