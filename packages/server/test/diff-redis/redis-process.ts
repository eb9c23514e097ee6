import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Connection } from "./connection.ts";
import type { Target } from "./target.ts";

export interface RunningServer extends AsyncDisposable {
  readonly target: Target;
}

/** Why the tests beside Redis cannot run here; undefined where they can. */
export function redisMissing(): string | undefined {
  const { stdout, status } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  if (status !== 0) return "redis-server is not installed";
  return /v=7\.0\./.test(stdout) ? undefined : `redis-server is not of version 7.0: ${stdout.trim()}`;
}

/** Redis's own server, in memory alone, on a socket of its own in a new directory. */
export async function startRedis(name = "redis", settings: readonly string[] = []): Promise<RunningServer> {
  const directory = await mkdtemp(join(tmpdir(), "diff-redis-"));
  const path = join(directory, "socket");
  const quiet = ["--port", "0", "--unixsocket", path, "--dir", directory, "--loglevel", "warning"];
  const settled = ["--save", "", "--appendonly", "no", "--databases", "1", ...settings];
  const child = spawn("redis-server", [...quiet, ...settled], { stdio: "ignore" });
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
  return { target: { name, address: { path } }, [Symbol.asyncDispose]: stop };
}
