import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Connection } from "./connection.ts";
import type { Target } from "./target.ts";

export interface RunningServer extends AsyncDisposable {
  readonly target: Target;
}

/** A Redis server, and where it listens beside its socket: port 0 is nowhere. */
export interface RunningRedis extends RunningServer {
  readonly port: number;
}

export interface RedisOptions {
  /** Listens on a port of the loopback interface too. */
  readonly onPort?: boolean;
  /** More of its settings, as its command line takes them. */
  readonly settings?: readonly string[];
}

/** Why the tests beside Redis cannot run here; undefined where they can. */
export function redisMissing(): string | undefined {
  const { stdout, status } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  if (status !== 0) return "redis-server is not installed";
  return /v=7\.0\./.test(stdout) ? undefined : `redis-server is not of version 7.0: ${stdout.trim()}`;
}

/** Redis's own server, in memory alone, on a socket of its own in a new directory. */
export async function startRedis(name = "redis", options: RedisOptions = {}): Promise<RunningRedis> {
  const { onPort = false, settings = [] } = options;
  const directory = await mkdtemp(join(tmpdir(), "diff-redis-"));
  const path = join(directory, "socket");
  const port = onPort ? await freePort() : 0;
  const listening = ["--bind", "127.0.0.1", "--port", String(port), "--unixsocket", path];
  const quiet = ["--dir", directory, "--loglevel", "warning", "--databases", "1"];
  const child = spawn(
    "redis-server",
    [...listening, ...quiet, "--save", "", "--appendonly", "no", ...settings],
    {
      stdio: "ignore",
    },
  );
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  for (;;) {
    try {
      const connection = await Connection.open({ path });
      connection.close();
      break;
    } catch (error) {
      if (child.exitCode !== null) {
        await stop();
        throw new Error("redis-server did not start", { cause: error });
      }
      await delay(20);
    }
  }
  return { target: { name, address: { path } }, port, [Symbol.asyncDispose]: stop };
}

/** Redis cannot be told to take any port, so it is told one that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
