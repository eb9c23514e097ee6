import type { LogFields, LogLevel, Logger } from "@seshat/common";
import type { DestinationStream } from "pino";
import { pino } from "pino";

/** How much is logged; `silent` is nothing. */
export type LogThreshold = LogLevel | "silent";

/**
 * Writes records as lines of JSON: `time`, `level`, `event`, and the fields of the record.
 *
 * @param destination default: standard output.
 */
export function pinoLogger(threshold: LogThreshold, destination?: DestinationStream): Logger {
  const options = {
    level: threshold,
    base: null,
    messageKey: "event",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const sink = destination === undefined ? pino(options) : pino(options, destination);
  return {
    log: (level: LogLevel, event: string, fields: LogFields): void => sink[level](fields, event),
  };
}
