import type { CommandSpec } from "@seshat/kv";
import { keysOf } from "@seshat/kv";
import type { RespValue } from "@seshat/resp";
import type { Client } from "../client/client.js";
import type { Args } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { boundedGlob } from "./bounded-glob.js";
import { CommandError, SYNTAX_ERROR, wrongArity } from "./command-error.js";
import { fitsArity } from "./command-table.js";
import type { LocalReply } from "./local-command.js";
import { bulk, latin1, lower, word } from "./text.js";
import { unknownSubcommand } from "./unknown-command.js";

const HELP = [
  "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "(no subcommand)",
  "    Return details about all commands.",
  "COUNT",
  "    Return the total number of commands in this server.",
  "LIST [FILTERBY (ACLCAT <category> | PATTERN <pattern>)]",
  "    Return the names of commands.",
  "INFO [<command-name> ...]",
  "    Return details about multiple commands.",
  "DOCS [<command-name> ...]",
  "    Return documentation details about multiple commands.",
  "GETKEYS <full-command>",
  "    Return the keys from a full command.",
  "HELP",
  "    Prints this help.",
];

/** COMMAND: what commands there are, from the one table that decides it. */
export function runCommandCommand(_client: Client, args: Args, { table }: ServerContext): LocalReply {
  const all = (): CommandSpec[] => table.all.map(({ spec }) => spec);
  if (args.length === 1) return all().map(details);
  switch (word(args, 1)) {
    case "count":
      if (args.length !== 2) throw wrongArity("command|count");
      return table.all.length;
    case "info":
      return args.length === 2
        ? all().map(details)
        : args.slice(2).map((name) => nullOr(find(table, name), details));
    case "list":
      return list(args, all());
    case "docs": {
      const chosen = args.length === 2 ? all() : args.slice(2).flatMap((name) => find(table, name) ?? []);
      return { type: "map", entries: chosen.map((spec) => [bulk(spec.name), documentation(spec)] as const) };
    }
    case "getkeys":
      return keys(args, table);
    case "help":
      return HELP.map((line) => ({ type: "simple" as const, text: line }));
    default:
      throw new CommandError(unknownSubcommand(args));
  }
}

type Table = ServerContext["table"];

/** By its name, or `container|subcommand`. */
function find(table: Table, name: Uint8Array): CommandSpec | null {
  const [container = "", inner] = latin1(name).toLowerCase().split("|", 2);
  const spec = table.find(Buffer.from(container, "latin1"))?.spec ?? null;
  if (inner === undefined || spec === null) return spec;
  return spec.subcommands?.find((sub) => sub.name === `${container}|${inner}`) ?? null;
}

function nullOr<T>(value: T | null, then: (value: T) => RespValue): RespValue {
  return value === null ? null : then(value);
}

function words(items: readonly string[]): RespValue {
  return { type: "set", items: items.map((text) => ({ type: "simple", text })) };
}

function details(spec: CommandSpec): RespValue {
  const { firstKey, lastKey, step } = spec;
  return [
    bulk(spec.name),
    spec.arity,
    words(spec.flags),
    firstKey,
    lastKey,
    step,
    words(spec.acl),
    [],
    firstKey === 0 ? [] : [keySpec(spec)],
    (spec.subcommands ?? []).map(details),
  ];
}

/** Where the keys are, in the words of Redis 7. */
function keySpec({ flags, firstKey, lastKey, step }: CommandSpec): RespValue {
  const map = (entries: readonly (readonly [string, RespValue])[]): RespValue => ({
    type: "map",
    entries: entries.map(([name, value]) => [bulk(name), value] as const),
  });
  const access = flags.includes("write") ? ["RW", "access", "update"] : ["RO", "access"];
  return map([
    ["flags", words(access)],
    [
      "begin_search",
      map([
        ["type", bulk("index")],
        ["spec", map([["index", firstKey]])],
      ]),
    ],
    [
      "find_keys",
      map([
        ["type", bulk("range")],
        [
          "spec",
          map([
            ["lastkey", lastKey < 0 ? lastKey : lastKey - firstKey],
            ["keystep", step],
            ["limit", 0],
          ]),
        ],
      ]),
    ],
  ]);
}

function documentation(spec: CommandSpec): RespValue {
  const subcommands = spec.subcommands ?? [];
  return {
    type: "map",
    entries: [
      [bulk("summary"), bulk(spec.summary)],
      [bulk("since"), bulk(spec.since)],
      [bulk("group"), bulk(spec.group)],
      ...(subcommands.length === 0
        ? []
        : [
            [
              bulk("subcommands"),
              {
                type: "map",
                entries: subcommands.map((sub) => [bulk(sub.name), documentation(sub)] as const),
              },
            ] as const satisfies readonly [RespValue, RespValue],
          ]),
    ],
  };
}

function list(args: Args, all: readonly CommandSpec[]): RespValue {
  const names = (chosen: readonly CommandSpec[]): RespValue => chosen.map(({ name }) => bulk(name));
  if (args.length === 2) return names(all);
  if (args.length !== 5 || word(args, 2) !== "filterby") throw new CommandError(SYNTAX_ERROR);
  const value = args[4] as Uint8Array;
  switch (word(args, 3)) {
    case "aclcat": {
      const category = `@${latin1(value).toLowerCase()}`;
      return names(all.filter(({ acl }) => acl.includes(category)));
    }
    case "pattern": {
      const pattern = lower(value);
      const matches = boundedGlob();
      return names(all.filter(({ name }) => matches(pattern, Buffer.from(name, "latin1"))));
    }
    case "module":
      return [];
    default:
      throw new CommandError(SYNTAX_ERROR);
  }
}

function keys(args: Args, table: Table): RespValue {
  if (args.length < 4) throw wrongArity("command|getkeys");
  const command = args.slice(2);
  const whole = table.find(command[0] as Uint8Array)?.spec;
  const subcommand = `${whole?.name}|${word(command, 1)}`;
  // A container alone is no command.
  const spec =
    whole?.subcommands === undefined ? whole : whole.subcommands.find(({ name }) => name === subcommand);
  if (spec === undefined) throw new CommandError("ERR Invalid command specified");
  if (spec.firstKey === 0 && spec.keys === undefined) {
    throw new CommandError("ERR The command has no key arguments");
  }
  if (!fitsArity(spec, command.length)) {
    throw new CommandError("ERR Invalid number of arguments specified for command");
  }
  const keys = keysOf(spec, command);
  if (keys.length === 0) throw new CommandError("ERR Invalid arguments specified for command");
  return keys.map((key) => new Uint8Array(key));
}
