import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a node in a process of its own is asked. */
export type NodeCall =
  | { readonly type: "initialize" | "move"; readonly members: readonly (readonly [number, string])[] }
  | { readonly type: "set"; readonly key: string; readonly value: string }
  | { readonly type: "get"; readonly key: string }
  | { readonly type: "leader" }
  | { readonly type: "close" };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A node in a process of its own, as its parent sees it. */
export class NodeProcess {
  readonly id: number;
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastNumber = 0;

  private constructor(id: number, address: string, child: ChildProcess) {
    this.id = id;
    this.address = address;
    this.#child = child;
    child.on("message", ({ number, value, error }: { number: number; value: unknown; error?: string }) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    child.once("exit", (code, signal) => {
      for (const waiting of this.#waiting.values())
        waiting.reject(new Error(`node ${id} ended with ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  static async start(id: number, dir: string): Promise<NodeProcess> {
    const path = fileURLToPath(new URL("key-value-node.ts", import.meta.url));
    const child = fork(path, [String(id), dir], {
      execArgv: [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const started = once(child, "message") as Promise<[{ address: string }]>;
    const failed = once(child, "exit").then(([code]) => {
      throw new Error(`node ${id} did not start: exit code ${String(code)}`);
    });
    failed.catch(() => {});
    const [{ address }] = await Promise.race([started, failed]);
    return new NodeProcess(id, address, child);
  }

  call(call: NodeCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#lastNumber, { resolve, reject });
      this.#child.send({ number: this.#lastNumber, call });
    });
  }

  /** Ends the process without a farewell. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  /** Closes the node. @returns the exit code of its process. */
  async close(): Promise<number | null> {
    const gone = once(this.#child, "exit") as Promise<[number | null]>;
    await this.call({ type: "close" });
    return (await gone)[0];
  }
}
