import type { LogFields, LogLevel, Logger } from "@seshat/common";
import { silentLogger } from "@seshat/common";

/** From the least to the most talkative. */
export const LOG_LEVELS: readonly ["off", "error", "warn", "info", "debug", "trace"] = [
  "off",
  "error",
  "warn",
  "info",
  "debug",
  "trace",
];

/** How much is logged: records of this level and of every graver one. */
export type LogThreshold = (typeof LOG_LEVELS)[number];

/** A logger that writes one line a record: level, event, then `name=value` for each field. */
export function textLogger(threshold: LogThreshold, writeLine: (line: string) => void): Logger {
  if (threshold === "off") return silentLogger;
  const limit = LOG_LEVELS.indexOf(threshold);
  return {
    log(level: LogLevel, event: string, fields: LogFields): void {
      if (LOG_LEVELS.indexOf(level) > limit) return;
      const facts = Object.entries(fields).map(([name, value]) => ` ${name}=${showValue(value)}`);
      writeLine(`${level.padEnd(5)} ${event}${facts.join("")}`);
    },
  };
}

/** Text with spaces, quotes or line ends stands in quotes, so that a record stays one line of fields. */
function showValue(value: string | number | boolean | null): string {
  return typeof value === "string" && !/^[^\s"=]+$/.test(value) ? JSON.stringify(value) : String(value);
}
