import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Place } from "../network/network.js";

const PROGRAM = fileURLToPath(new URL("bin/seshat.js", import.meta.resolve("seshat")));
/** How much of what a process writes is kept, to say why it ended. */
const KEPT_OUTPUT = 4096;

/** What a server is started with. */
export interface ServerSettings {
  readonly place: Place;
  /** Its configuration, in TOML. */
  readonly configFile: string;
  /** Where everything that it writes goes, also what earlier processes of this node wrote. */
  readonly logFile: string;
  /** Modules that it loads before the program, beyond those of its place. */
  readonly preloads: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** `seshat start` in a process of its own. */
export class ServerProcess {
  /** Ends when it serves clients, with their address; null when the process ended before. */
  readonly started: Promise<string | null>;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #isGone = false;
  #output = "";

  constructor({ place, configFile, logFile, preloads, env }: ServerSettings) {
    const imports = [...place.preloads, ...preloads].flatMap((module) => ["--import", module]);
    const [program, ...args] = [
      ...place.prefix,
      process.execPath,
      ...imports,
      PROGRAM,
      "start",
      "--config",
      configFile,
    ];
    this.#child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...place.env, ...env },
    });
    const log = createWriteStream(logFile, { flags: "a" });
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.started = promise;
    let head = "";
    const heard = (chunk: Buffer): void => {
      log.write(chunk);
      this.#output = (this.#output + String(chunk)).slice(-KEPT_OUTPUT);
      if (head.length > KEPT_OUTPUT) return;
      head += String(chunk);
      const address = /^Clients connect to (\S+),/m.exec(head)?.[1];
      if (address !== undefined) resolve(address);
    };
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on("data", heard);
    this.#gone = once(this.#child, "close").then(() => {
      this.#isGone = true;
      log.end();
      resolve(null);
    });
  }

  /** What it wrote last. */
  get output(): string {
    return this.#output.trim();
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** kill -9. Ends when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  /** As an operator ends it. @returns its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    await this.#gone;
    return this.#child.exitCode;
  }
}
