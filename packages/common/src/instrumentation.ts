/** How much a record matters. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** The facts of a record: plain values under stable names. Never keys, values or secrets of the application. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** Receives structured log records. Adapters to any logging library are one function. */
export interface Logger {
  /**
   * @param event what happened, as a stable dotted name, e.g. `"raft.election.won"`.
   */
  log(level: LogLevel, event: string, fields: LogFields): void;
}

/** A span of work, as far as Seshat uses it. An OpenTelemetry `Span` is one. */
export interface Span {
  setAttribute(key: string, value: string | number | boolean): unknown;
  recordException(exception: Error): void;
  end(): void;
}

/** Starts spans. The `Tracer` of `@opentelemetry/api` is one; nothing here depends on it. */
export interface Tracer {
  startSpan(name: string, options?: { attributes?: Record<string, string | number | boolean> }): Span;
}

/** Discards everything: the default. */
export const silentLogger: Logger = Object.freeze({ log(): void {} });
