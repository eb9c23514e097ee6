import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { promisify } from "node:util";
import { ChildError } from "../compare/run-child.js";
import { VerificationError } from "../cluster/tally.js";

export const KEYS = 100_000;
export const VALUE_BYTES = 64;

/** What redis-benchmark is told to do. */
export interface Load {
  readonly command: "set" | "get";
  readonly clients: number;
  readonly pipeline: number;
  /** From how many keys one is drawn for each command. Default {@link KEYS}. */
  readonly keys?: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/**
 * Runs redis-benchmark once.
 *
 * @param requests or a few more.
 * @throws {ChildError} when it is not installed, or fails.
 */
export async function runRedisBenchmark(port: number, load: Load, requests: number): Promise<Measured> {
  const { stdout } = await promisify(execFile)("redis-benchmark", flagsOf(port, load, requests)).catch(
    (error: unknown) => {
      throw new ChildError(`redis-benchmark failed: ${(error as Error).message}`);
    },
  );
  return readCsv(stdout, load.command, requests);
}

/**
 * What redis-benchmark is told. Its pipelines are always full, so it makes more requests than it was told to unless they are a multiple of the
 * pipeline; and when it looks how far it is, four times a second, in the turn in which its last client has ended, it takes another number of
 * them than it was told for a server that has closed all connections.
 */
export function flagsOf(
  port: number,
  { command, clients, pipeline, keys = KEYS }: Load,
  requests: number,
): string[] {
  const whole = Math.ceil(requests / pipeline) * pipeline;
  const data = ["-r", String(keys), "-d", String(VALUE_BYTES)];
  const load = ["-t", command, "-c", String(clients), "-P", String(pipeline), "-n", String(whole)];
  return ["-h", "127.0.0.1", "-p", String(port), "--csv", "-e", ...data, ...load];
}

/** The line of a command in what redis-benchmark prints. @throws {ChildError} when there is none. */
export function readCsv(stdout: string, command: Load["command"], requests: number): Measured {
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
  const line = stdout.split("\n").find((each) => each.startsWith(`"${command.toUpperCase()}"`)) ?? "";
  const fields = line
    .split(",")
    .slice(1)
    .map((field) => field.replaceAll('"', ""));
  const [, , , p50 = Number.NaN, , p99 = Number.NaN] = fields.map(Number);
  // Its clock has steps of a millisecond: "inf" means less than one, so the rate is at least this.
  const perSecond = fields[0] === "inf" ? requests * 1000 : Number(fields[0]);
  if (!(perSecond > 0)) throw new ChildError(`redis-benchmark said ${JSON.stringify(stdout)}`);
  return { perSecond, p50Us: p50 * 1000, p99Us: p99 * 1000 };
}

/** How many commands a server says that it has carried out. */
export async function commandsProcessed(port: number): Promise<number> {
  const info = await ask(port, "INFO stats\r\n", /\r\n\r\n|\r\n$/);
  return Number(/total_commands_processed:(\d+)/.exec(info)?.[1] ?? Number.NaN);
}

/** That a server has what was written: keys, and values of the right length. */
export async function verifyWritten(port: number, most: number = KEYS): Promise<number> {
  const keys = Number(/^:(\d+)/.exec(await ask(port, "DBSIZE\r\n", /\r\n$/))?.[1]);
  const key =
    /\r\n(key:\d{12})\r\n$/.exec(await ask(port, "RANDOMKEY\r\n", /\r\nkey:\d{12}\r\n$/))?.[1] ?? "";
  const length = await ask(port, `STRLEN ${key}\r\n`, /\r\n$/);
  if (!(keys > 0 && keys <= most) || length !== `:${VALUE_BYTES}\r\n`) {
    throw new VerificationError(`a server has ${keys} keys, and a value of ${length.trim()} bytes`);
  }
  return keys;
}

/** Asks a server in one connection. @param whole tells a whole answer. */
export async function ask(port: number, command: string, whole: RegExp): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    socket.write(command);
    let answer = "";
    while (!whole.test(answer)) answer += String((await once(socket, "data"))[0]);
    return answer;
  } finally {
    socket.destroy();
  }
}
