import type { Outcome } from "./connection.ts";

type Spoil = (args: readonly string[], reply: Outcome) => Outcome;

const named = (names: string, spoil: Spoil): Spoil => {
  const commands = names.split(" ");
  return (args, reply) => (commands.includes(args[0]?.toUpperCase() ?? "") ? spoil(args, reply) : reply);
};

const isError = (reply: Outcome): reply is { readonly type: "error"; readonly message: string } =>
  typeof reply === "object" && reply !== null && "type" in reply && reply.type === "error";

/** Mistakes that a server could make, by the reply alone. Each has to be found out. */
export const PLANTED_DIFFERENCES: Readonly<Record<string, Spoil>> = {
  "an integer past 2^53 is rounded": (_, reply) =>
    typeof reply === "bigint" ? BigInt(Number(reply)) : reply,
  "an error lacks its last character": (_, reply) =>
    isError(reply) && reply.message.startsWith("WRONGTYPE")
      ? { ...reply, message: reply.message.slice(0, -1) }
      : reply,
  "the words for another number of arguments": named("GETEX", (_, reply) =>
    isError(reply) && reply.message.includes("wrong number")
      ? { ...reply, message: "ERR syntax error" }
      : reply,
  ),
  "an empty string is no string": named("GET", (_, reply) =>
    reply instanceof Uint8Array && reply.length === 0 ? null : reply,
  ),
  "a float with a digit less": named("INCRBYFLOAT", (_, reply) =>
    reply instanceof Uint8Array && reply.length > 18 ? reply.slice(0, -1) : reply,
  ),
  "a range that is one too long": named("GETRANGE", (args, reply) =>
    args[2] === "-1" && reply instanceof Uint8Array && reply.length > 0 ? Uint8Array.of(...reply, 0) : reply,
  ),
  "KEYS forgets one of many": named("KEYS", (_, reply) =>
    Array.isArray(reply) && reply.length > 3 ? reply.slice(1) : reply,
  ),
  "a transaction that was called off answers null, not the null array": named("EXEC", (_, reply) =>
    typeof reply === "object" && reply !== null && "type" in reply && reply.type === "nullArray"
      ? null
      : reply,
  ),
  "within a transaction an error is lost": named("EXEC", (_, reply) =>
    Array.isArray(reply) ? (reply.map((item: Outcome) => (isError(item) ? null : item)) as Outcome) : reply,
  ),
  "a deadline is two minutes late": named("PEXPIRETIME", (_, reply) =>
    typeof reply === "number" && reply > 0 ? reply + 120_000 : reply,
  ),
  "TTL of a key without a deadline": named("TTL", (_, reply) => (reply === -1 ? -2 : reply)),
  "an option that clashes is taken": named("SET", (args, reply) =>
    isError(reply) &&
    args.some((arg) => arg.toUpperCase() === "XX") &&
    args.some((arg) => arg.toUpperCase() === "NX")
      ? { type: "simple", text: "OK" }
      : reply,
  ),
};
