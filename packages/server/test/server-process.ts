import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../dist/bin/seshat.js", import.meta.url));

/** How the program ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
export function runSeshat(...args: readonly string[]): Promise<Ended> {
  return run(args, false);
}

/** The same, with nobody at the other end of its standard output. */
export function runSeshatUnread(...args: readonly string[]): Promise<Ended> {
  return run(args, true);
}

async function run(args: readonly string[], isUnread: boolean): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  if (isUnread) child.stdout.destroy();
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}

/** `seshat start` in a process of its own. */
export class ServerProcess {
  /** Where clients connect. */
  readonly address: string;
  readonly #child: ChildProcess;

  private constructor(address: string, child: ChildProcess) {
    this.address = address;
    this.#child = child;
  }

  /** @throws when it ends instead of starting, with what it said. */
  static async start(...args: readonly string[]): Promise<ServerProcess> {
    const child = spawn(process.execPath, [PROGRAM, "start", "--log-level", "silent", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        stdout += chunk.toString();
        const found = /^Clients connect to (\S+),/m.exec(stdout)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once("close", (code) => reject(new Error(`it ended with ${String(code)}: ${stderr}`)));
    });
    return new ServerProcess(address, child);
  }

  /** Ends it without a farewell. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it as an operator does. @returns its exit code. */
  stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, "exit") as Promise<[number | null]>;
    child.kill(signal);
    return (await gone)[0];
  }
}
