import type { SeededRandom } from "@seshat/raft/testing";
import type { RedisStringInput } from "@seshat/simulator";

/** What a client asks for. */
export type ClientOperation = RedisStringInput & {
  /** How long what is set is to live, in milliseconds. Such a key is set once: its end is an operation of its own in the history. */
  readonly lifeMs?: number;
};

/** Draws what a client asks for next. The value is the client's to choose. */
export function drawOperation(random: SeededRandom, keys: readonly string[]): ClientOperation {
  const { key } = drawRead(random, keys);
  const dice = random.next();
  if (dice < 0.2) return { key, f: "get" };
  if (dice < 0.55) return { key, f: "append", value: "" };
  if (dice < 0.8) return { key, f: "set", value: "" };
  if (dice < 0.88) return { key, f: "setget", value: "" };
  if (dice < 0.94) return { key, f: "setnx", value: "" };
  return { key, f: "del" };
}

export function drawRead(
  random: SeededRandom,
  keys: readonly string[],
): { readonly key: string; readonly f: "get" } {
  return { key: keys[random.integer(0, keys.length - 1)] as string, f: "get" };
}

export function isRead({ f }: RedisStringInput): boolean {
  return f === "get" || f === "exists";
}

/** As a Redis client sends it. */
export function commandOf(input: ClientOperation): string[] {
  switch (input.f) {
    case "get":
    case "getdel":
    case "del":
    case "exists":
    case "incr":
      return [input.f.toUpperCase(), input.key];
    case "set":
      return [
        "SET",
        input.key,
        input.value,
        ...(input.lifeMs === undefined ? [] : ["PX", String(input.lifeMs)]),
      ];
    case "setnx":
      return ["SET", input.key, input.value, "NX"];
    case "setxx":
      return ["SET", input.key, input.value, "XX"];
    case "setget":
      return ["SET", input.key, input.value, "GET"];
    case "append":
      return ["APPEND", input.key, input.value];
  }
}
