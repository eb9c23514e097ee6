import { Refusal } from "../refusal.js";
import type { Reply } from "../reply.js";
import { errorReply, text } from "../reply.js";
import type { Db } from "../store/db.js";
import { HashValue } from "../types/hash-value.js";
import { ListValue } from "../types/list-value.js";
import type { Scored } from "../types/zset-value.js";
import { ZsetValue } from "../types/zset-value.js";
import { visitWork } from "../work.js";
import type { CommandFlag, CommandSpec } from "./command.js";
import { errorText, parseInteger, word } from "./parse.js";

type Args = readonly Uint8Array[];

/** Strings up to this length stand beside their key in Redis. */
const EMBEDDED_BYTES = 44;
/** Up to so many elements, of up to so many bytes, small collections are packed in Redis. */
const LISTPACK_ENTRIES = 128;
const LISTPACK_BYTES = 64;
const INTSET_ENTRIES = 512;
const SHARED_REFERENCES = 2_147_483_647;

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
  "    Prints this help.",
];

/** What Redis would say; reads change nothing here, so that no key has been idle, and none has been counted. */
export function object(db: Db, args: Args): Reply {
  const given = args[1] as Uint8Array;
  // Other than an option, a name is compared with all that it has.
  const subcommand = given.includes(0) ? "" : word(given);
  const spec = OBJECT_SUBCOMMANDS.find(({ name }) => name === `object|${subcommand.toLowerCase()}`);
  if (spec === undefined) {
    return errorReply(`ERR unknown subcommand '${errorText(given.subarray(0, 128))}'. Try OBJECT HELP.`);
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
      return isSharedInteger(db) ? SHARED_REFERENCES : 1;
    case "IDLETIME":
      return 0;
    default:
      throw NO_FREQUENCY;
  }
}

/** The name of what Redis would keep such a value in. It looks at what the value is, not at what it has been. */
function encodingOf(db: Db): string {
  const value = db.view();
  if (value instanceof Uint8Array) {
    if (parseInteger(value) !== null) return "int";
    return value.length <= EMBEDDED_BYTES ? "embstr" : "raw";
  }
  if (value instanceof ListValue) return "quicklist";
  if (value.size <= INTSET_ENTRIES) db.work.charge(visitWork(value));
  if (value instanceof ZsetValue) {
    return value.size <= LISTPACK_ENTRIES && isShort(value.elements()) ? "listpack" : "skiplist";
  }
  if (!(value instanceof HashValue)) return "hashtable";
  if (value.type === "set") {
    const small = value.size <= INTSET_ENTRIES;
    return small && value.fields().every((member) => parseInteger(member) !== null) ? "intset" : "hashtable";
  }
  return value.size <= LISTPACK_ENTRIES && isShort(value.each()) ? "listpack" : "hashtable";
}

/** Redis has the integers from 0 to 9999 once and for all. */
function isSharedInteger(db: Db): boolean {
  const value = db.view();
  const integer = value instanceof Uint8Array ? parseInteger(value) : null;
  return integer !== null && integer >= 0 && integer < 10_000;
}

function isShort(elements: Iterable<Scored | readonly Uint8Array[]>): boolean {
  for (const element of elements) {
    const parts = "member" in element ? [element.member] : element;
    if (parts.some(({ length }) => length > LISTPACK_BYTES)) return false;
  }
  return true;
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
