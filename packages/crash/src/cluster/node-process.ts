import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer, Ask, CallFailure, CallName, Reply } from "../node/call.js";
import type { Plant } from "../node/plants.js";

const PROGRAM = fileURLToPath(new URL("../node/crash-node.js", import.meta.url));
/** How much of what a process writes is kept, to say why it ended. */
const KEPT_OUTPUT = 4096;

/** A call did not come to an answer. */
export class CallError extends Error {
  override readonly name = "CallError";
  /** True when it may have taken effect, or may do so later. */
  readonly unknown: boolean;

  constructor({ message, unknown }: CallFailure) {
    super(message);
    this.unknown = unknown;
  }
}

/** What a process is started with. */
export interface NodeSettings {
  readonly id: number;
  readonly dir: string;
  readonly address: string;
  /** How many processes of this node there were, with this one. */
  readonly life: number;
  readonly plant: Plant | null;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: CallError): void;
}

/** A node in a process of its own. */
export class NodeProcess {
  readonly id: number;
  /** Ends when it has started, with its address; null when the process ended before. */
  readonly started: Promise<string | null>;
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #lastNumber = 0;
  #isGone = false;
  #output = "";

  constructor({ id, dir, address, life, plant }: NodeSettings) {
    this.id = id;
    const args = [String(id), dir, address, String(life), plant ?? ""];
    this.#child = fork(PROGRAM, args, { execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk) => {
        this.#output = (this.#output + String(chunk)).slice(-KEPT_OUTPUT);
      });
    }
    this.#gone = once(this.#child, "exit").then(() => this.#end());
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.started = promise;
    void this.#gone.then(() => resolve(null));
    this.#child.on("message", (reply: Reply) => {
      if (reply.type === "started") resolve(reply.address);
      else this.#settle(reply);
    });
  }

  /** What it wrote last. */
  get output(): string {
    return this.#output.trim();
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** @throws {CallError} */
  call<K extends CallName>(name: K, ask: Ask<K>): Promise<Answer<K>> {
    return new Promise((resolve, reject) => {
      if (this.#isGone) {
        reject(new CallError({ message: `node ${this.id} does not run`, unknown: false }));
        return;
      }
      const number = ++this.#lastNumber;
      this.#waiting.set(number, { resolve, reject });
      // What cannot be sent ends with the process.
      this.#child.send({ number, name, ask }, () => {});
    });
  }

  /** kill -9. Ends when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  #settle(reply: Exclude<Reply, { type: "started" }>): void {
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if (reply.type === "answer") waiting?.resolve(reply.answer);
    else waiting?.reject(new CallError(reply.failure));
  }

  #end(): void {
    this.#isGone = true;
    const error = new CallError({ message: `node ${this.id} ended`, unknown: true });
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
