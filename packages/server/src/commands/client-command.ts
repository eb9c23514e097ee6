import type { Client } from "../client/client.js";
import { describeClient } from "../client/describe-client.js";
import type { Args } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { CommandError, SYNTAX_ERROR, wrongArity } from "./command-error.js";
import { checkClientName } from "./client-name.js";
import { killClients } from "./client-kill.js";
import type { LocalReply, LocalRow } from "./local-command.js";
import { NO_REPLY } from "./local-command.js";
import { OK, bulk, cString, integer, word } from "./text.js";
import { unknownSubcommand } from "./unknown-command.js";

interface Subcommand extends Omit<LocalRow, "run"> {
  readonly run: (client: Client, args: Args, server: ServerContext) => LocalReply;
}

const ROWS: readonly Subcommand[] = [
  {
    name: "id",
    arity: 2,
    flags: "noscript loading stale",
    summary: "Returns the client ID for the current connection",
    run: (client) => client.id,
  },
  {
    name: "getname",
    arity: 2,
    flags: "noscript loading stale",
    summary: "Get the current connection name",
    run: ({ state }) => (state.name === "" ? null : bulk(state.name)),
  },
  {
    name: "setname",
    arity: 3,
    flags: "noscript loading stale",
    summary: "Set the current connection name",
    run: ({ state }, args) => {
      state.name = checkClientName(args[2] as Uint8Array);
      return OK;
    },
  },
  {
    name: "setinfo",
    arity: 4,
    flags: "noscript loading stale",
    since: "7.2.0",
    summary: "Set client or connection specific info",
    run: setInfo,
  },
  {
    name: "info",
    arity: 2,
    flags: "noscript loading stale",
    summary: "Returns information about the current client connection.",
    run: (client, _args, server) => bulk(`${describeClient(client, server.now())}\n`),
  },
  {
    name: "list",
    arity: -2,
    flags: "admin noscript loading stale",
    summary: "Get the list of client connections",
    run: list,
  },
  {
    name: "kill",
    arity: -3,
    flags: "admin noscript loading stale",
    summary: "Kill the connection of a client",
    run: killClients,
  },
  {
    name: "reply",
    arity: 3,
    flags: "noscript loading stale",
    summary: "Instruct the server whether to reply to commands",
    run: reply,
  },
  {
    name: "no-evict",
    arity: 3,
    flags: "admin noscript loading stale",
    summary: "Set client eviction mode for the current connection",
    run: ({ state }, args) => {
      state.isEvictable = !onOrOff(args);
      return OK;
    },
  },
  {
    name: "no-touch",
    arity: 3,
    flags: "noscript loading stale",
    since: "7.2.0",
    summary: "Controls whether commands sent by the client will alter the LRU/LFU of the keys they access.",
    run: ({ state }, args) => {
      state.touches = !onOrOff(args);
      return OK;
    },
  },
  {
    name: "help",
    arity: 2,
    flags: "loading stale",
    summary: "Show helpful text about the different subcommands",
    run: () => [
      bulk("CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"),
      ...ROWS.map(({ name, summary }) => bulk(`${name.toUpperCase()}: ${summary}`)),
    ],
  },
];

export const CLIENT_SUBCOMMANDS: readonly Omit<LocalRow, "run">[] = ROWS;

/** CLIENT: about this connection, and about all of them. */
export function runClient(client: Client, args: Args, server: ServerContext): LocalReply {
  const name = word(args, 1);
  const found = ROWS.find((row) => row.name === name);
  if (found === undefined) throw new CommandError(unknownSubcommand(args));
  const { arity } = found;
  if (arity >= 0 ? args.length !== arity : args.length < -arity) throw wrongArity(`client|${name}`);
  return found.run(client, args, server);
}

function setInfo({ state }: Client, args: Args): LocalReply {
  const attribute = word(args, 2);
  if (attribute === "lib-name") state.libraryName = checkClientName(args[3] as Uint8Array, "lib-name");
  else if (attribute === "lib-ver") state.libraryVersion = checkClientName(args[3] as Uint8Array, "lib-ver");
  else throw new CommandError(`ERR Unrecognized option '${cString(args[2])}'`);
  return OK;
}

function list(_client: Client, args: Args, { clients, now }: ServerContext): LocalReply {
  let chosen: Iterable<Client> = clients;
  if (args.length === 4 && word(args, 2) === "type") {
    const type = cString(args[3]).toLowerCase();
    if (!["normal", "master", "replica", "slave", "pubsub"].includes(type)) {
      throw new CommandError(`ERR Unknown client type '${cString(args[3])}'`);
    }
    if (type !== "normal") chosen = [];
  } else if (args.length > 3 && word(args, 2) === "id") {
    chosen = args.slice(3).flatMap((arg) => {
      const id = integer(arg);
      if (id === null) throw new CommandError("ERR Invalid client ID");
      return clients.get(id) ?? [];
    });
  } else if (args.length !== 2) throw new CommandError(SYNTAX_ERROR);
  const lines = [...chosen].map((client) => `${describeClient(client, now())}\n`);
  return { type: "verbatim", format: "txt", text: bulk(lines.join("")) };
}

function reply({ state }: Client, args: Args): LocalReply {
  switch (word(args, 2)) {
    case "on":
      state.replies = "on";
      return OK;
    case "off":
      state.replies = "off";
      return NO_REPLY;
    case "skip":
      if (state.replies === "on") state.replies = "skip";
      return NO_REPLY;
    default:
      throw new CommandError(SYNTAX_ERROR);
  }
}

function onOrOff(args: Args): boolean {
  const value = word(args, 2);
  if (value !== "on" && value !== "off") throw new CommandError(SYNTAX_ERROR);
  return value === "on";
}
