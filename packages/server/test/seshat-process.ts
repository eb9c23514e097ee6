import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../dist/bin/seshat.js", import.meta.url));

/** The program itself, as a process, on a folder of its own and a port that was free. It can be killed and started again on both. */
export class SeshatProcess implements AsyncDisposable {
  readonly directory: string;
  readonly #flags: readonly string[];
  #child: ChildProcess;
  #port: number;

  private constructor(directory: string, flags: readonly string[], child: ChildProcess, port: number) {
    this.directory = directory;
    this.#flags = flags;
    this.#child = child;
    this.#port = port;
  }

  static async start(flags: readonly string[] = []): Promise<SeshatProcess> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: build it first`);
    const directory = await mkdtemp(join(tmpdir(), "seshat-process-"));
    const child = spawnSeshat(directory, 0, flags);
    return new SeshatProcess(directory, flags, child, await portOf(child));
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether the process is still there. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it without a farewell. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  /** Starts it again where it was. */
  async restart(): Promise<void> {
    await this.kill();
    this.#child = spawnSeshat(this.directory, this.#port, this.#flags);
    this.#port = await portOf(this.#child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function spawnSeshat(directory: string, port: number, flags: readonly string[]): ChildProcess {
  const args = [
    PROGRAM,
    "start",
    "--dir",
    directory,
    "--port",
    String(port),
    "--log-level",
    "error",
    ...flags,
  ];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

/** It says where clients connect once it serves them. */
async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error("the program has no output");
  for await (const line of createInterface(child.stdout)) {
    const [, port] = /^Clients connect to \S+:(\d+)/.exec(line) ?? [];
    if (port === undefined) continue;
    child.stdout.resume();
    return Number(port);
  }
  throw new Error(`the program ended before it served clients: exit code ${child.exitCode}`);
}
