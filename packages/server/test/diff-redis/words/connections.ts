import { anyCase, integer, key, value } from "../values.ts";
import { DATA_WORDS } from "./data-words.ts";
import { none, option, someKeys } from "./make-arguments.ts";
import type { Words } from "./make-arguments.ts";

const DATA_COMMANDS: readonly string[] = Object.keys(DATA_WORDS);

/** Connections, transactions, and what tools and clients ask first. */
export const CONNECTION_WORDS: Words = {
  PING: (random) => option(random, 0.3, () => [value(random)]),
  ECHO: (random) => [value(random)],
  SELECT: (random) => [
    random.pick(["0", "0", "0", "1", "16", "-1", "abc", "", "01", " 0", "9223372036854775807"]),
  ],
  HELLO: (random) => [
    ...option(random, 0.9, () => [random.pick(["2", "3", "2", "3", "1", "4", "abc", "", "-1", "03"])]),
    ...option(random, 0.1, () => ["AUTH", "default", value(random)]),
    ...option(random, 0.15, () => [anyCase(random, "SETNAME"), random.pick(["me", "no spaces", "", "a\nb"])]),
    ...option(random, 0.05, () => [value(random)]),
  ],
  AUTH: (random) => (random.chance(0.5) ? [value(random)] : ["default", value(random)]),
  CLIENT: (random) =>
    random.pick([
      ["SETNAME", random.pick(["me", "you", "no spaces", "", "\x7f", "\xff"])],
      ["GETNAME"],
      ["ID"],
      ["NOSUCH"],
      ["SETNAME"],
      ["GETNAME", "x"],
      ["setname", "lower"],
      ["ID", "1"],
      ["LIST", "TYPE", random.pick(["nosuch", "master", "replica", "pubsub"])],
      ["LIST", "ID", random.pick(["abc", "", "-1"])],
      ["LIST", "FOO"],
      ["KILL", "ID", random.pick(["abc", "-1", "0"])],
      ["KILL", "TYPE", "nosuch"],
      ["KILL", "SKIPME", "maybe"],
      ["KILL", "127.0.0.1:1"],
      ["REPLY", "MAYBE"],
      ["NO-EVICT", random.pick(["on", "OFF", "maybe"])],
    ]),
  RESET: none,
  QUIT: none,
  MULTI: none,
  EXEC: none,
  DISCARD: none,
  WATCH: someKeys,
  UNWATCH: none,
  COMMAND: (random) =>
    random.pick([
      ["COUNT", "x"],
      ["NOSUCH"],
      [
        "INFO",
        anyCase(random, random.pick([...DATA_COMMANDS, "nosuch", "", "client|id", "object|encoding"])),
      ],
      ["INFO", random.pick(DATA_COMMANDS), "nosuch", random.pick(DATA_COMMANDS)],
      ["LIST", "FILTERBY", "MODULE", "nosuch"],
      ["LIST", "FILTERBY", "NOSUCH", "x"],
      ["LIST", "FILTERBY", "PATTERN", random.pick(["get", "hge*l", "nosuch*", "z?dd", "[hl]len"])],
      ["LIST", "FILTERBY"],
      ["GETKEYS", ...getKeysOf(random.pick(DATA_COMMANDS), integer(random), key(random))],
      [
        "GETKEYS",
        random.pick(["ZUNION", "ZINTERCARD", "LMPOP", "SINTERCARD"]),
        integer(random),
        "a",
        "b",
        "MIN",
      ],
      ["GETKEYS", "ZUNIONSTORE", "to", random.pick(["0", "1", "2", "3", "abc"]), "a", "b"],
      ["GETKEYS", "nosuch"],
      ["GETKEYS"],
    ]),
  CONFIG: (random) => random.pick([["GET", "nosuch"], ["NOSUCH"], ["GET"], ["SET", "nosuch", "1"], ["SET"]]),
};

function getKeysOf(name: string, integer: string, key: string): string[] {
  return [name, key, integer, key, "1", "x"].slice(0, 1 + (integer.length % 6));
}
