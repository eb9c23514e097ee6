import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ChildError } from "../compare/run-child.js";
import type { NodeAnswer, NodeKind, NodeMemory, NodeOrder, NodeVerified } from "./node-messages.js";
import { VerificationError } from "./tally.js";
import type { Round } from "../load/closed-loop.js";

const CHILD = fileURLToPath(new URL("../benches/node-child.js", import.meta.url));

type Answered<T extends NodeAnswer["type"]> = Extract<NodeAnswer, { readonly type: T }>;

interface Waiting {
  readonly resolve: (answer: NodeAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** A node in a process of its own, which is gone with this one. */
export class NodeProcess implements AsyncDisposable {
  readonly id: number;
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #waiting: Map<number, Waiting>;
  #lastNumber = 0;

  private constructor(id: number, address: string, child: ChildProcess, waiting: Map<number, Waiting>) {
    this.id = id;
    this.address = address;
    this.#child = child;
    this.#waiting = waiting;
  }

  static async start(kind: NodeKind, id: number, dir: string): Promise<NodeProcess> {
    // As servers run, where nobody asks for something else: see `bin/seshat.ts`. And garbage is collected before memory is measured.
    const flags = ["--max-semi-space-size=32", "--no-allocation-site-pretenuring"];
    const execArgv = [...flags, ...process.execArgv, "--expose-gc"];
    const child = fork(CHILD, [kind, String(id), dir], { execArgv });
    const waiting = new Map<number, Waiting>();
    const ready = new Promise<NodeAnswer>((resolve, reject) => waiting.set(0, { resolve, reject }));
    child.on("message", ({ number, answer }: { number: number; answer: NodeAnswer }) => {
      const { resolve, reject } = waiting.get(number) ?? {};
      waiting.delete(number);
      if (answer.type === "failed") reject?.(new VerificationError(`node ${id}: ${answer.message}`));
      else resolve?.(answer);
    });
    child.once("exit", (code, signal) => {
      for (const { reject } of waiting.values())
        reject(new ChildError(`node ${id} ended with ${String(signal ?? code)}`));
      waiting.clear();
    });
    const answer = await ready;
    return new NodeProcess(id, answer.type === "ready" ? answer.address : "", child, waiting);
  }

  async initialize(members: readonly NodeProcess[]): Promise<void> {
    await this.#order("done", {
      type: "initialize",
      members: members.map(({ id, address }) => [id, address] as const),
    });
  }

  async round(order: Omit<Extract<NodeOrder, { type: "round" }>, "type">): Promise<Round> {
    return (await this.#order("round", { type: "round", ...order })).round;
  }

  async limit(clients: number, seconds: number): Promise<Round> {
    return (await this.#order("round", { type: "limit", clients, seconds })).round;
  }

  async verify(upto: number | null = null, keys = 0): Promise<NodeVerified> {
    return (await this.#order("verified", { type: "verify", upto, keys })).verified;
  }

  async memory(): Promise<NodeMemory> {
    return (await this.#order("memory", { type: "memory" })).memory;
  }

  async cpuUs(): Promise<number> {
    return (await this.#order("cpu", { type: "cpu" })).us;
  }

  async addLearner({ id, address }: NodeProcess): Promise<void> {
    await this.#order("done", { type: "addLearner", id, addr: address });
  }

  async tell(type: "stop" | "snapshot" | "watchMemory"): Promise<void> {
    await this.#order("done", { type });
  }

  /** Ends the process. Its node is not closed: whoever closes a leader would wait for somebody to take over. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.disconnect();
    await gone;
  }

  async #order<T extends NodeAnswer["type"]>(expected: T, order: NodeOrder): Promise<Answered<T>> {
    const answer = await new Promise<NodeAnswer>((resolve, reject) => {
      this.#waiting.set(++this.#lastNumber, { resolve, reject });
      this.#child.send({ number: this.#lastNumber, order });
    });
    if (answer.type !== expected) throw new ChildError(`node ${this.id} answered ${answer.type}`);
    return answer as Answered<T>;
  }
}
