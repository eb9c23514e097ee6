import type { LogFields, LogLevel, Logger, Span, Tracer } from "@seshat/common";
import { silentLogger } from "@seshat/common";
import { Instruments } from "../../src/runtime/instruments.js";

export interface LogRecord {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

/** A logger that keeps what it is given. */
export class RecordingLogger implements Logger {
  readonly records: LogRecord[] = [];

  log(level: LogLevel, event: string, fields: LogFields): void {
    this.records.push({ level, event, fields });
  }

  events(): string[] {
    return this.records.map(({ event }) => event);
  }

  /** The fields of every record of `event`. */
  of(event: string): LogFields[] {
    return this.records.filter((record) => record.event === event).map(({ fields }) => fields);
  }
}

export interface RecordedSpan {
  readonly name: string;
  readonly attributes: Record<string, string | number | boolean>;
  readonly exceptions: Error[];
  /** How often it was ended: a span ends once. */
  ends: number;
}

/** A tracer that keeps its spans. */
export class RecordingTracer implements Tracer {
  readonly spans: RecordedSpan[] = [];

  startSpan(name: string, options?: { attributes?: Record<string, string | number | boolean> }): Span {
    const span: RecordedSpan = { name, attributes: { ...options?.attributes }, exceptions: [], ends: 0 };
    this.spans.push(span);
    return {
      setAttribute: (key, value) => {
        span.attributes[key] = value;
      },
      recordException: (exception) => void span.exceptions.push(exception),
      end: () => {
        span.ends += 1;
      },
    };
  }

  named(name: string): RecordedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }
}

/** Instruments that nobody watches. */
export function silentInstruments(): Instruments {
  return new Instruments(1, silentLogger, null);
}
