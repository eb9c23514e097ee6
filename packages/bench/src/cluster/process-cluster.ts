import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeKind } from "./node-messages.js";
import { NodeProcess } from "./node-process.js";

/** Three nodes in processes of their own, of which the first leads, and has the clients. */
export class ProcessCluster implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #root: string;
  readonly #kind: NodeKind;
  readonly nodes: readonly NodeProcess[];
  readonly leader: NodeProcess;

  private constructor(
    stack: AsyncDisposableStack,
    root: string,
    kind: NodeKind,
    nodes: readonly NodeProcess[],
  ) {
    this.#stack = stack;
    this.#root = root;
    this.#kind = kind;
    this.nodes = nodes;
    this.leader = nodes[0] as NodeProcess;
  }

  static async start(kind: NodeKind): Promise<ProcessCluster> {
    await using stack = new AsyncDisposableStack();
    const root = await mkdtemp(join(tmpdir(), "seshat-bench-"));
    stack.defer(() => rm(root, { recursive: true, force: true }));
    const nodes: NodeProcess[] = [];
    for (const id of [1, 2, 3])
      nodes.push(stack.use(await NodeProcess.start(kind, id, join(root, String(id)))));
    const cluster = new ProcessCluster(stack.move(), root, kind, nodes);
    await cluster.leader.initialize(nodes);
    return cluster;
  }

  /** One more node, which is empty and a member of nothing. */
  async another(id: number): Promise<NodeProcess> {
    return this.#stack.use(await NodeProcess.start(this.#kind, id, join(this.#root, String(id))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
