import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ChildError } from "../compare/run-child.js";

/** A server in a process of its own, on a port of the loopback interface and in a folder of its own. */
export interface BenchedServer extends AsyncDisposable {
  readonly port: number;
  /** The processor time that it has taken, in microseconds; 0 where the system does not tell. */
  cpuUs(): Promise<number>;
  /** The memory that it has in use, in bytes; 0 where the system does not tell. */
  residentBytes(): Promise<number>;
}

/** How long garbage collection stopped a process, in milliseconds. */
export interface Pauses {
  readonly longestMs: number;
  readonly totalMs: number;
}

/** A server whose pauses are counted. */
export interface TracedServer extends BenchedServer {
  /** Those since the last call. */
  takePauses(): Pauses;
}

const OK_CHILD = fileURLToPath(new URL("../benches/redis-ok-child.js", import.meta.url));
/** As the program has them when it is started by its name. */
export const NODE_FLAGS: readonly string[] = ["--max-semi-space-size=32"];
const SESHAT = fileURLToPath(new URL("bin/seshat.js", import.meta.resolve("seshat")));

/** What redis-benchmark is run against. */
export const SERVERS: Readonly<
  Record<"redisMemory" | "redisAlways" | "nodeLimit" | "seshat", () => Promise<BenchedServer>>
> = {
  /** Keeps nothing. */
  redisMemory: () => startRedis(["--appendonly", "no"]),
  /** As durable as it gets: each write is synced before it is answered. */
  redisAlways: () => startRedis(["--appendonly", "yes", "--appendfsync", "always"]),
  nodeLimit: () => start((directory) => spawnIn(directory, process.execPath, [OK_CHILD])),
  /** One durable node, with its defaults. */
  seshat: () => start((directory) => spawnSeshat(directory, NODE_FLAGS)),
};

function spawnSeshat(directory: string, nodeFlags: readonly string[]): ChildProcess {
  const args = ["start", "--dir", directory, "--port", "0", "--log-level", "error"];
  return spawnIn(directory, process.execPath, [...nodeFlags, SESHAT, ...args]);
}

/** One durable node that says each time what garbage collection took. */
export async function startTraced(): Promise<TracedServer> {
  const children: ChildProcess[] = [];
  const server = await start((directory) => {
    const child = spawnSeshat(directory, [...NODE_FLAGS, "--trace-gc"]);
    children.push(child);
    return child;
  });
  let longestMs = 0;
  let totalMs = 0;
  const output = children[0]?.stdout;
  if (output === null || output === undefined) throw new ChildError("a server has no output");
  createInterface(output).on("line", (line) => {
    const pause = pauseOf(line);
    longestMs = Math.max(longestMs, pause);
    totalMs += pause;
  });
  const takePauses = (): Pauses => {
    const taken = { longestMs, totalMs };
    longestMs = 0;
    totalMs = 0;
    return taken;
  };
  return { ...server, takePauses };
}

/** The milliseconds of the pause that a line of `--trace-gc` tells of; 0 for any other line. */
export function pauseOf(line: string): number {
  return Number(/: (?:Scavenge|Mark-Compact).* MB, (\d+(?:\.\d+)?) \/ /.exec(line)?.[1] ?? 0);
}

async function startRedis(settings: readonly string[]): Promise<BenchedServer> {
  // Redis cannot be told to take any port.
  const port = await freePort();
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--loglevel", "notice"];
  return start(
    (directory) => spawnIn(directory, "redis-server", [...flags, "--dir", directory, ...settings]),
    { port, says: "Ready to accept connections" },
  );
}

/** Where a program will listen that does not take any free port, and what it says once it does. */
export interface KnownPort {
  readonly port: number;
  readonly says: string;
}

/** Starts a server in a folder of its own, which is gone with it. @throws {ChildError} when it ends before it listens. */
export async function start(
  launch: (directory: string) => ChildProcess,
  known?: KnownPort,
): Promise<BenchedServer> {
  const directory = await mkdtemp(join(tmpdir(), "seshat-bench-"));
  const child = launch(directory);
  const gone = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const port = await portOf(child, known);
    return {
      port,
      cpuUs: () => cpuUs(child.pid ?? 0),
      residentBytes: () => residentBytes(child.pid ?? 0),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param errors what becomes of what it writes to standard error. */
export function spawnIn(
  directory: string,
  program: string,
  args: readonly string[],
  errors: "inherit" | "ignore" = "inherit",
): ChildProcess {
  return spawn(program, args, { cwd: directory, stdio: ["ignore", "pipe", errors] });
}

/** Each of them says when it listens. */
async function portOf(child: ChildProcess, known?: KnownPort): Promise<number> {
  if (child.stdout === null) throw new ChildError("a server has no output");
  for await (const line of createInterface(child.stdout)) {
    if (known !== undefined && line.includes(known.says)) {
      child.stdout.resume();
      return known.port;
    }
    const [, port] = /^(?:Clients connect to|listening on) \S+:(\d+)/.exec(line) ?? [];
    if (port === undefined) continue;
    child.stdout.resume();
    return Number(port);
  }
  throw new ChildError(`a server ended before it listened: exit code ${child.exitCode}`);
}

/** A port of the loopback interface that nobody has. Somebody else may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Clock ticks are hundredths of a second on every Linux. */
const US_PER_TICK = 10_000;

async function cpuUs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // Fields 14 and 15; the second is a name in parentheses that may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.length < 13 ? 0 : (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
