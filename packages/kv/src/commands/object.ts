import { Refusal } from "../refusal.js";
import type { Reply } from "../reply.js";
import { errorReply, text } from "../reply.js";
import type { Db } from "../store/db.js";
import type { CommandFlag, CommandSpec } from "./command.js";
import { parseInteger, word } from "./parse.js";

type Args = readonly Uint8Array[];

/** Strings up to this length stand beside their key in Redis. */
const EMBEDDED_BYTES = 44;

const NO_FREQUENCY = new Refusal(
  "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
);

const HELP: readonly string[] = [
  "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "ENCODING <key>",
  "    Return the kind of internal representation used in order to store the value",
  "    associated with a <key>.",
  "FREQ <key>",
  "    Return the access frequency index of the <key>. The returned integer is",
  "    proportional to the logarithm of the recent access frequency of the key.",
  "IDLETIME <key>",
  "    Return the idle time of the <key>, that is the approximated number of",
  "    seconds elapsed since the last access to the key.",
  "REFCOUNT <key>",
  "    Return the number of references of the value associated with the specified",
  "    <key>.",
  "HELP",
  "    Print this help.",
];

/** What Redis would say; reads change nothing here, so that no key has been idle, and none has been counted. */
export function object(db: Db, args: Args): Reply {
  const subcommand = word(args[1]);
  const spec = OBJECT_SUBCOMMANDS.find(({ name }) => name === `object|${subcommand.toLowerCase()}`);
  if (spec === undefined) {
    const given = new TextDecoder("latin1").decode((args[1] as Uint8Array).subarray(0, 128));
    return errorReply(`ERR unknown subcommand '${given}'. Try OBJECT HELP.`);
  }
  if (spec.arity !== args.length) {
    return errorReply(`ERR wrong number of arguments for '${spec.name}' command`);
  }
  if (subcommand === "HELP") return HELP.map((line) => ({ type: "simple", text: line }));
  if (!db.locate(args[2] as Uint8Array)) return null;
  switch (subcommand) {
    case "ENCODING":
      return text(encodingOf(db));
    case "REFCOUNT":
      return 1;
    case "IDLETIME":
      return 0;
    default:
      throw NO_FREQUENCY;
  }
}

function encodingOf(db: Db): string {
  const value = db.value();
  if (!(value instanceof Uint8Array)) return "hashtable";
  if (parseInteger(value) !== null) return "int";
  return value.length <= EMBEDDED_BYTES ? "embstr" : "raw";
}

function subcommand(
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  summary: string,
): CommandSpec {
  const key = arity === 3 ? 2 : 0;
  return {
    name: `object|${name}`,
    arity,
    flags,
    firstKey: key,
    lastKey: key,
    step: key === 0 ? 0 : 1,
    acl: key === 0 ? ["@keyspace", "@slow"] : ["@keyspace", "@read", "@slow"],
    group: "generic",
    summary,
    since: "2.2.3",
  };
}

export const OBJECT_SUBCOMMANDS: readonly CommandSpec[] = [
  subcommand("encoding", 3, ["readonly"], "Inspect the internal encoding of a Redis object"),
  subcommand("freq", 3, ["readonly"], "Get the logarithmic access frequency counter of a Redis object"),
  subcommand("help", 2, ["loading", "stale"], "Show helpful text about the different subcommands"),
  subcommand("idletime", 3, ["readonly"], "Get the time since a Redis object was last accessed"),
  subcommand("refcount", 3, ["readonly"], "Get the number of references to the value of the key"),
];
