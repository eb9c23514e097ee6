import { readFileSync } from "node:fs";
import { InvalidValueError } from "@seshat/common";
import { TomlError, parse } from "smol-toml";
import * as v from "valibot";
import { isAddress } from "../cluster/host-and-port.js";

const bytes = v.pipe(v.number(), v.integer(), v.minValue(1));
const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1));
const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const text = v.pipe(v.string(), v.minLength(1));
const address = v.pipe(v.string(), v.check(isAddress, 'an address such as "10.0.0.1:7000"'));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A configuration as it is written: by section and field. */
export interface ConfigFile {
  readonly node?:
    | {
        readonly id?: number | undefined;
        readonly cluster?: string | undefined;
        readonly dir?: string | undefined;
        readonly "when-new"?: "alone" | "wait" | undefined;
      }
    | undefined;
  readonly clients?:
    | {
        readonly host?: string | undefined;
        readonly port?: number | undefined;
        readonly advertise?: string | undefined;
        readonly password?: string | undefined;
        readonly "password-file"?: string | undefined;
        readonly "max-clients"?: number | undefined;
        readonly "idle-seconds"?: number | undefined;
        readonly "max-output-bytes"?: number | undefined;
        readonly "command-timeout-ms"?: number | undefined;
      }
    | undefined;
  readonly peers?:
    | { readonly listen?: string | undefined; readonly advertise?: string | undefined }
    | undefined;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
  readonly raft?:
    | {
        readonly "heartbeat-ms"?: number | undefined;
        readonly "election-min-ms"?: number | undefined;
        readonly "election-max-ms"?: number | undefined;
        readonly "snapshot-entries"?: number | undefined;
        readonly "snapshot-bytes"?: number | undefined;
        readonly "keep-entries"?: number | undefined;
      }
    | undefined;
  readonly metrics?: { readonly listen?: string | undefined } | undefined;
  readonly log?:
    | { readonly level?: "trace" | "debug" | "info" | "warn" | "error" | "silent" | undefined }
    | undefined;
}

/** What a configuration file may say. Everything may be left out; what is not here is refused by its name. */
const FILE: v.GenericSchema<unknown, ConfigFile> = v.strictObject({
  node: v.optional(
    v.strictObject({
      id: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER))),
      cluster: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
      dir: v.optional(text),
      "when-new": v.optional(v.picklist(["alone", "wait"])),
    }),
  ),
  clients: v.optional(
    v.strictObject({
      host: v.optional(text),
      port: v.optional(port),
      advertise: v.optional(address),
      password: v.optional(v.string()),
      "password-file": v.optional(text),
      "max-clients": v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000))),
      "idle-seconds": v.optional(count),
      "max-output-bytes": v.optional(bytes),
      "command-timeout-ms": v.optional(milliseconds),
    }),
  ),
  peers: v.optional(v.strictObject({ listen: v.optional(address), advertise: v.optional(address) })),
  tls: v.optional(v.strictObject({ ca: text, cert: text, key: text })),
  raft: v.optional(
    v.strictObject({
      "heartbeat-ms": v.optional(milliseconds),
      "election-min-ms": v.optional(milliseconds),
      "election-max-ms": v.optional(milliseconds),
      "snapshot-entries": v.optional(bytes),
      "snapshot-bytes": v.optional(bytes),
      "keep-entries": v.optional(count),
    }),
  ),
  metrics: v.optional(v.strictObject({ listen: v.optional(address) })),
  log: v.optional(
    v.strictObject({ level: v.optional(v.picklist(["trace", "debug", "info", "warn", "error", "silent"])) }),
  ),
});

/**
 * Checks a configuration.
 *
 * @throws {InvalidValueError} that names the first field that is wrong, e.g. `clients.port`.
 */
export function checkConfig(value: unknown): ConfigFile {
  const result = v.safeParse(FILE, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = (issue.path ?? []).map(({ key }) => String(key)).join(".");
  if (issue.expected === "never")
    throw new InvalidValueError(path, "set", "left out: there is no such field");
  const found: unknown = SECRETS.has(path) ? typeof issue.input : issue.input;
  throw new InvalidValueError(path === "" ? "the configuration" : path, found, expectedOf(issue));
}

/** Fields whose values must not come into a message. */
const SECRETS: ReadonlySet<string> = new Set(["clients.password"]);

function expectedOf(issue: v.BaseIssue<unknown>): string {
  switch (issue.type) {
    case "min_value":
      return `at least ${String(issue.requirement)}`;
    case "max_value":
      return `at most ${String(issue.requirement)}`;
    case "min_length":
      return "a text that is not empty";
    case "max_length":
      return `a text of at most ${String(issue.requirement)} characters`;
    case "integer":
      return "a whole number";
    case "check":
      return issue.message;
    case "picklist":
      return `one of ${issue.expected ?? ""}`;
    default:
      return `a ${issue.expected?.toLowerCase() ?? "value of another kind"}`;
  }
}

/**
 * Reads a configuration file.
 *
 * @throws {InvalidValueError} when it cannot be read, is no TOML, or has a field that is wrong: it names that.
 */
export function readConfigFile(path: string): ConfigFile {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    throw new InvalidValueError("--config", path, `a file that can be read: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = parse(content);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new InvalidValueError(
      `${path}:${error.line}`,
      "something else",
      `TOML (${error.message.split("\n", 1)[0]})`,
    );
  }
  return checkConfig(value);
}
