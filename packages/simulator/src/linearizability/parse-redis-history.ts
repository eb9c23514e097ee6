import { InvalidValueError } from "@seshat/common";
import type { RedisStringInput, RedisStringReply } from "./models/redis-string.js";
import type { Operation } from "./operation.js";

const WITHOUT_VALUE: ReadonlySet<unknown> = new Set(["get", "getdel", "del", "exists", "incr"]);
const WITH_VALUE: ReadonlySet<unknown> = new Set(["set", "setnx", "setxx", "setget", "append"]);

/**
 * Takes a history of Redis commands as JSON has it: an array of `{ client, f, key, arg, out, call, ret, status }`.
 *
 * - `f` is the command and `arg` its value, where it takes one.
 * - `out` is the reply as text; `nil: true` stands for the null reply. A `set`, `setnx` or `setxx` with neither answered
 *   `OK`; `setnx` may also answer as the command of that name does, `1` for `OK` and `0` for nil.
 * - `status` is `ok`, `unknown` or `fail`; only where it is `ok` must there be a `ret`.
 *
 * Times and clients are checked where the history is.
 *
 * @throws {InvalidValueError} that names the field, e.g. `history[3].f`.
 */
export function parseRedisHistory(json: unknown): Operation<RedisStringInput, RedisStringReply>[] {
  if (!Array.isArray(json)) throw new InvalidValueError("history", json, "an array of operations");
  return json.map((line: unknown, index) => parseOperation(line, `history[${index}]`));
}

function parseOperation(line: unknown, field: string): Operation<RedisStringInput, RedisStringReply> {
  if (typeof line !== "object" || line === null) throw new InvalidValueError(field, line, "an operation");
  const { client, call, ret, status, ...rest } = line as Record<string, unknown>;
  const input = parseInput(rest, field);
  const output = status === "ok" ? { output: parseReply(input, rest, field) } : {};
  // What is not looked at here, the check of the history looks at.
  return { client, input, ...output, call, ret, status } as Operation<RedisStringInput, RedisStringReply>;
}

function parseInput({ f, key, arg }: Record<string, unknown>, field: string): RedisStringInput {
  const takesValue = WITH_VALUE.has(f);
  if (!takesValue && !WITHOUT_VALUE.has(f)) {
    throw new InvalidValueError(`${field}.f`, f, `one of ${[...WITHOUT_VALUE, ...WITH_VALUE].join(", ")}`);
  }
  if (typeof key !== "string") throw new InvalidValueError(`${field}.key`, key, "a string");
  if (!takesValue) return { key, f } as RedisStringInput;
  if (typeof arg !== "string") throw new InvalidValueError(`${field}.arg`, arg, "a string");
  return { key, f, value: arg } as RedisStringInput;
}

function parseReply({ f }: RedisStringInput, rest: Record<string, unknown>, field: string): RedisStringReply {
  const { out, nil } = rest;
  if (nil === true || out === null) return null;
  if (out === undefined && (f === "set" || f === "setnx" || f === "setxx")) return "OK";
  if (typeof out !== "string") {
    throw new InvalidValueError(`${field}.out`, out, "the reply as text, unless nil is true");
  }
  if (f === "setnx" && out === "1") return "OK";
  if (f === "setnx" && out === "0") return null;
  return out;
}
