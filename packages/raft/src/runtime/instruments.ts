import type { LogFields, LogLevel, Logger, Tracer } from "@seshat/common";
import type { MaybePromise } from "@seshat/storage";
import { toError } from "./failure.js";
import { isPending } from "./maybe-promise.js";

/** Ends a span, with the error that ended the work or null. */
export type EndSpan = (error: Error | null) => void;

/** What a span is about. */
export type SpanAttributes = Record<string, string | number | boolean>;

/**
 * Logging and tracing of one node: every record and span carries the node's id. Without a tracer a span costs one comparison.
 *
 * Spans, each ended once, with the error when there is one:
 * - `raft.election`: from candidacy to its outcome. `raft.transfer`: from the request to the next leader.
 * - `raft.append`: until durable. `raft.commit`: from proposal to commit. `raft.apply`. `raft.read`: from the question of the reads of
 *   one turn to the index from which on they may be served.
 * - `raft.membership.change`: from the request to the commit of all of it.
 * - `raft.snapshot.build`, `raft.snapshot.send` and `raft.snapshot.receive` (all parts), `raft.snapshot.install`.
 *
 * Records, by level; what happens with every batch has spans alone:
 * - error: `raft.stopped`, `raft.listener.failed`, `raft.send.failed`; `raft.snapshot.installed` when the content is damaged.
 * - warn: `raft.term.refused`, `raft.storage.stalled`, `raft.storage.resumed`, `raft.snapshot.stalled`, `raft.snapshot.resumed`, `raft.recovered`, `raft.read.failed`, `raft.membership.change.failed`,
 *   `raft.transfer.failed`, `raft.snapshot.unreadable`, `raft.snapshot.abandoned`, `raft.snapshot.discard.failed`.
 * - info: `raft.role`, `raft.leader`, `raft.membership`, `raft.membership.change.begun` and `.done`, `raft.transfer.begun` and `.done`,
 *   `raft.snapshot.built`, `raft.snapshot.installed`.
 * - debug: `raft.rpc.failed`.
 */
export class Instruments {
  readonly #nodeId: number;
  readonly #logger: Logger;
  readonly #tracer: Tracer | null;

  constructor(nodeId: number, logger: Logger, tracer: Tracer | null) {
    this.#nodeId = nodeId;
    this.#logger = logger;
    this.#tracer = tracer;
  }

  log(level: LogLevel, event: string, fields: LogFields): void {
    harmless(() => this.#logger.log(level, event, { node: this.#nodeId, ...fields }));
  }

  /** True when spans go anywhere: without a tracer nobody needs their attributes. */
  get traces(): boolean {
    return this.#tracer !== null;
  }

  /** Starts a span; null when there is no tracer. */
  startSpan(name: string, attributes: SpanAttributes): EndSpan | null {
    const tracer = this.#tracer;
    if (tracer === null) return null;
    const span = harmless(() =>
      tracer.startSpan(name, { attributes: { "raft.node": this.#nodeId, ...attributes } }),
    );
    if (span === null) return null;
    return (error) =>
      harmless(() => {
        if (error !== null) span.recordException(error);
        span.end();
      });
  }

  /** Does what an operator asked for within a span, and tells the log that it began and how it ended. */
  async operation<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> {
    const fields = Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key.replace("raft.", ""), value]),
    );
    this.log("info", `${name}.begun`, fields);
    try {
      const result = await this.trace(name, attributes, work);
      this.log("info", `${name}.done`, fields);
      return result;
    } catch (thrown) {
      this.log("warn", `${name}.failed`, { ...fields, error: toError(thrown).message });
      throw thrown;
    }
  }

  /** Does `work` within a span. */
  trace<T>(name: string, attributes: SpanAttributes, work: () => MaybePromise<T>): MaybePromise<T> {
    const end = this.startSpan(name, attributes);
    if (end === null) return work();
    const fail = (thrown: unknown): never => {
      end(toError(thrown));
      throw thrown;
    };
    try {
      const result = work();
      if (isPending(result)) {
        return result.then((value) => {
          end(null);
          return value;
        }, fail);
      }
      end(null);
      return result;
    } catch (thrown) {
      return fail(thrown);
    }
  }
}

/** Whoever watches a node must not be able to stop it: what a logger or tracer throws is dropped. */
function harmless<T>(watch: () => T): T | null {
  try {
    return watch();
  } catch {
    return null;
  }
}
