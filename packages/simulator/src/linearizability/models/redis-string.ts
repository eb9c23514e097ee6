import { stateMachineModel } from "../model.js";
import type { Applied, Effect, Model, UNKNOWN_OUTPUT } from "../model.js";
import { quote } from "../safe-text.js";

/**
 * A Redis command on one string key. `setnx` is `SET key value NX`, `setxx` is `SET key value XX`, `setget` is
 * `SET key value GET`.
 */
export type RedisStringInput =
  | {
      readonly key: string;
      readonly f: "get" | "getdel" | "del" | "exists" | "incr";
    }
  | {
      readonly key: string;
      readonly f: "set" | "setnx" | "setxx" | "setget" | "append";
      readonly value: string;
    };

/** A reply as text: `OK`, a value, an integer in decimal, or an error from its code on; null is the null reply. */
export type RedisStringReply = string | null;

/** `INCR` of something that is no 64-bit integer. */
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
/** `INCR` of the largest 64-bit integer. */
export const INCREMENT_OVERFLOWS = "ERR increment or decrement would overflow";

const MAX_INTEGER = 2n ** 63n - 1n;
const MIN_INTEGER = -(2n ** 63n);

/** The value of the key; null when there is none. */
type State = string | null;

/** String keys as Redis keeps them, each key a partition of its own. Only the commands of `RedisStringInput` touch them. */
export function redisStringModel(): Model<string | null, RedisStringInput, RedisStringReply> {
  return MODEL;
}

const MODEL = stateMachineModel<State, RedisStringInput, RedisStringReply>({
  name: "Redis string",
  init: () => null,
  apply,
  stateKey: (state) => (state === null ? "" : `=${state}`),
  partition: ({ key }) => key,
  effect,
  inputKey: (input) => ("value" in input ? `${input.f} ${input.value}` : input.f),
  describe: (input, output) => {
    const call = "value" in input ? `${input.f} ${quote(input.value)}` : input.f;
    if (typeof output === "symbol") return call;
    return `${call} -> ${output === null ? "nil" : quote(output)}`;
  },
});

function apply(state: State, input: RedisStringInput): Applied<State, RedisStringReply> {
  switch (input.f) {
    case "get":
      return { state, output: state };
    case "getdel":
      return { state: null, output: state };
    case "del":
      return { state: null, output: state === null ? "0" : "1" };
    case "exists":
      return { state, output: state === null ? "0" : "1" };
    case "incr":
      return increment(state);
    case "set":
      return { state: input.value, output: "OK" };
    case "setnx":
      return state === null ? { state: input.value, output: "OK" } : { state, output: null };
    case "setxx":
      return state === null ? { state, output: null } : { state: input.value, output: "OK" };
    case "setget":
      return { state: input.value, output: state };
    case "append": {
      const appended = (state ?? "") + input.value;
      return { state: appended, output: String(utf8Length(appended)) };
    }
  }
}

function effect(input: RedisStringInput, output: RedisStringReply | typeof UNKNOWN_OUTPUT): Effect {
  switch (input.f) {
    case "get":
    case "exists":
      return "reads";
    case "set":
    case "setget":
      return "overwrites";
    // What found nothing to delete, or did not set anything, changed nothing.
    case "del":
      return output === "0" ? "reads" : "overwrites";
    case "getdel":
      return output === null ? "reads" : "overwrites";
    case "setnx":
    case "setxx":
      return output === null ? "reads" : "updates";
    case "incr":
      return output === NOT_AN_INTEGER || output === INCREMENT_OVERFLOWS ? "reads" : "updates";
    case "append":
      return "updates";
  }
}

/** Redis takes only the one way in which it would write the integer itself: no plus, no spaces, no zeros in front. */
function increment(state: State): Applied<State, RedisStringReply> {
  if (state !== null && !/^(?:0|-?[1-9]\d{0,18})$/.test(state)) return { state, output: NOT_AN_INTEGER };
  const value = BigInt(state ?? "0");
  if (value > MAX_INTEGER || value < MIN_INTEGER) return { state, output: NOT_AN_INTEGER };
  if (value === MAX_INTEGER) return { state, output: INCREMENT_OVERFLOWS };
  const next = String(value + 1n);
  return { state: next, output: next };
}

/** `APPEND` answers the length in bytes. A surrogate without its partner is written as U+FFFD, three bytes. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    // Two units that make one character take four bytes.
    if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i += 1;
  }
  return length;
}
