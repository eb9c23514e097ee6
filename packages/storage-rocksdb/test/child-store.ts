import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What `store-process.ts` is to do. */
export type Job = "hold" | "write" | "all";

const PROGRAM = fileURLToPath(new URL("store-process.ts", import.meta.url));

export interface ChildSettings {
  readonly env?: Readonly<Record<string, string>>;
  /** A program that runs it, with its arguments. */
  readonly under?: readonly [string, ...string[]] | null;
  /** A fault that is built in. */
  readonly plant?: string;
}

/** A process that has a store open. */
export class ChildStore {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #out = "";
  #err = "";
  #onOutput: () => void = () => {};

  constructor(dir: string, job: Job, { env = {}, under = null, plant = "" }: ChildSettings = {}) {
    const own = [process.execPath, PROGRAM, dir, job, plant] as const;
    const [program, ...args] = under === null ? own : ([...under, ...own] as const);
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdout.on("data", (chunk) => {
      this.#out += String(chunk);
      this.#onOutput();
    });
    child.stderr.on("data", (chunk) => (this.#err += String(chunk)));
    this.#exit = once(child, "close").then(([code]) => code as number | null);
    void this.#exit.then(() => this.#onOutput());
  }

  /** The lines that it has written so far, each whole. */
  get lines(): string[] {
    return this.#out.split("\n").slice(0, -1);
  }

  /** Ends once it has written so many lines. @throws {Error} when it ended before. */
  async written(count: number): Promise<void> {
    let ended = false;
    void this.#exit.then(() => (ended = true));
    while (this.lines.length < count) {
      if (ended) throw new Error(`the process ended after ${this.lines.length} lines: ${this.#err}`);
      await new Promise<void>((resolve) => (this.#onOutput = resolve));
    }
  }

  /** kill -9. Ends when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  /** Ends when it has ended by itself. */
  async ended(): Promise<{ readonly code: number | null; readonly err: string }> {
    return { code: await this.#exit, err: this.#err };
  }
}
