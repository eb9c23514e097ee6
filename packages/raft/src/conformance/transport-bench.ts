import type { AsyncRuntime, NodeId, RaftTypeConfig } from "@seshat/common";
import { check } from "@seshat/storage/conformance";
import type { RaftNetwork } from "../network/raft-network.js";
import type { CaseRandom } from "@seshat/storage/conformance";
import type { Method, RequestOf, ResponseOf } from "./messages.js";
import { METHODS, Messages } from "./messages.js";
import type {
  RaftHandlers,
  TransportEndpoint,
  TransportFactory,
  TransportWorld,
} from "./transport-factory.js";

/** A request that arrived. */
export interface Arrival {
  readonly method: Method;
  readonly request: unknown;
}

/** How a peer answers. */
export type Answer<C extends RaftTypeConfig> = (
  method: Method,
  request: unknown,
) => Promise<ResponseOf<C, Method>>;

/** A node of a case, and what arrived at it. */
export interface Peer<C extends RaftTypeConfig> {
  readonly id: NodeId;
  readonly endpoint: TransportEndpoint<C>;
  readonly arrivals: readonly Arrival[];
}

/** What becomes of a promise, once that is known. */
export type Outcome = "pending" | "resolved" | "rejected";

/** What a case works with: nodes in a world of their own, and messages between them. */
export class TransportBench<C extends RaftTypeConfig> {
  readonly messages: Messages<C>;
  readonly rounds: number;
  readonly largeBytes: number;
  readonly patienceMs: number;
  readonly #factory: TransportFactory<C>;
  #world: Promise<TransportWorld<C>> | null = null;
  readonly #runtime: AsyncRuntime;
  readonly #connections: RaftNetwork<C>[] = [];

  constructor(
    factory: TransportFactory<C>,
    random: CaseRandom,
    settings: {
      readonly runtime: AsyncRuntime;
      readonly rounds: number;
      readonly largeBytes: number;
      readonly patienceMs: number;
    },
  ) {
    this.messages = new Messages(factory, random);
    this.rounds = settings.rounds;
    this.largeBytes = settings.largeBytes;
    this.patienceMs = settings.patienceMs;
    this.#factory = factory;
    this.#runtime = settings.runtime;
  }

  /** Starts a node. By default each request gets an answer that nobody else gets. */
  async peer(id: NodeId, answer: Answer<C> = this.anyAnswer(id), at?: C["Node"]): Promise<Peer<C>> {
    const arrivals: Arrival[] = [];
    const handle =
      (method: Method) =>
      (request: unknown): Promise<ResponseOf<C, Method>> => {
        arrivals.push({ method, request });
        return answer(method, request);
      };
    const handlers = Object.fromEntries(METHODS.map((method) => [method, handle(method)]));
    const world = await this.#open();
    const endpoint = await world.start(id, handlers as unknown as RaftHandlers<C>, at);
    return { id, endpoint, arrivals };
  }

  anyAnswer(id: NodeId): Answer<C> {
    return (method) => Promise.resolve(this.messages.response(method, id));
  }

  /** A place where nobody listens. */
  async nowhere(): Promise<C["Node"]> {
    return (await this.#open()).nowhere();
  }

  connect(from: Peer<C>, to: NodeId, node: C["Node"]): RaftNetwork<C> {
    const connection = from.endpoint.network.connect(to, node);
    this.#connections.push(connection);
    return connection;
  }

  /** Two nodes, the first of which is connected to the second. */
  async pair(answer?: Answer<C>): Promise<{ a: Peer<C>; b: Peer<C>; toB: RaftNetwork<C> }> {
    const [a, b] = [await this.peer(1), await this.peer(2, answer)];
    return { a, b, toB: this.connect(a, b.id, b.endpoint.node) };
  }

  pause(ms: number = this.patienceMs): Promise<void> {
    return new Promise((resolve) => {
      this.#runtime.setTimer(ms, resolve);
    });
  }

  /** Waits until `holds`, for as long as the case may take. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.pause(Math.min(5, this.patienceMs));
  }

  /** What a call has come to by the end of the patience, or before. */
  async outcomeOf(call: Promise<unknown>): Promise<Outcome> {
    const outcome = call.then(
      (): Outcome => "resolved",
      (): Outcome => "rejected",
    );
    return Promise.race([outcome, this.pause().then((): Outcome => "pending")]);
  }

  async dispose(): Promise<void> {
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // The case itself says so, where it is about this.
      }
    }
    await (await this.#world)?.dispose?.();
  }

  #open(): Promise<TransportWorld<C>> {
    this.#world ??= Promise.resolve(this.#factory.create());
    return this.#world;
  }
}

/** Sends one request, by the name of its method. */
export function send<C extends RaftTypeConfig, M extends Method>(
  connection: RaftNetwork<C>,
  method: M,
  request: RequestOf<C, M>,
): Promise<ResponseOf<C, M>> {
  const call = (connection[method] as (request: RequestOf<C, M>) => unknown).call(connection, request);
  check(call instanceof Promise, `${method} gives no promise`);
  return call as Promise<ResponseOf<C, M>>;
}

/** The error that a call rejects with. */
export async function failureOf(what: string, call: Promise<unknown>): Promise<unknown> {
  const [isFailure, value] = await call.then(
    (answer): [boolean, unknown] => [false, answer],
    (error: unknown): [boolean, unknown] => [true, error],
  );
  check(isFailure, `${what} was answered, and nobody gave that answer: ${JSON.stringify(value)}`);
  return value;
}

/** An answer that never comes. */
export function silence(): Promise<never> {
  return new Promise(() => {});
}
