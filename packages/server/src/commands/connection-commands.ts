import type { Client } from "../client/client.js";
import type { Args } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { checkPassword } from "./authenticate.js";
import { CLIENT_SUBCOMMANDS, runClient } from "./client-command.js";
import { CommandError, NOT_AN_INTEGER } from "./command-error.js";
import { hello } from "./hello.js";
import type { LocalCommand, LocalReply } from "./local-command.js";
import { localCommands } from "./local-command.js";
import { OK, integer, isInteger64 } from "./text.js";
import { unwatch } from "./transaction-commands.js";

/** Commands about one connection. */
export const CONNECTION_COMMANDS: readonly LocalCommand[] = localCommands("connection", [
  {
    name: "ping",
    arity: -1,
    flags: "fast",
    lane: "any",
    summary: "Ping the server",
    run: (_client, args) => {
      if (args.length > 2) throw new CommandError("ERR wrong number of arguments for 'ping' command");
      return args[1]?.slice() ?? { type: "simple", text: "PONG" };
    },
  },
  {
    name: "echo",
    arity: 2,
    flags: "fast",
    lane: "any",
    summary: "Echo the given string",
    run: (_client, args) => (args[1] as Uint8Array).slice(),
  },
  {
    name: "auth",
    arity: -2,
    flags: "noscript loading stale fast no_auth allow_busy",
    isImmediate: false,
    summary: "Authenticate to the server",
    run: auth,
  },
  {
    name: "hello",
    arity: -1,
    flags: "noscript loading stale fast no_auth allow_busy",
    since: "6.0.0",
    summary: "Handshake with Redis",
    run: hello,
  },
  {
    name: "select",
    arity: 2,
    flags: "loading stale fast",
    lane: "any",
    summary: "Change the selected database for the current connection",
    run: (_client, args) => {
      const index = integer(args[1]);
      if (index === null) throw new CommandError(isInteger64(args[1]) ? OUT_OF_RANGE : NOT_AN_INTEGER);
      if (index < -(2 ** 31) || index >= 2 ** 31) throw new CommandError(OUT_OF_RANGE);
      if (index !== 0) throw new CommandError("ERR DB index is out of range");
      return OK;
    },
  },
  {
    name: "quit",
    arity: -1,
    flags: "noscript loading stale fast no_auth allow_busy",
    isImmediate: true,
    summary: "Close the connection",
    run: (client) => {
      client.end();
      return OK;
    },
  },
  {
    name: "reset",
    arity: 1,
    flags: "noscript loading stale fast no_auth allow_busy",
    isImmediate: true,
    since: "6.2.0",
    summary: "Reset the connection",
    run: reset,
  },
  {
    name: "client",
    arity: -2,
    flags: "",
    since: "2.4.0",
    summary: "A container for client connection commands",
    subcommands: CLIENT_SUBCOMMANDS,
    run: runClient,
  },
]);

const OUT_OF_RANGE = "ERR value is out of range, value must between -2147483648 and 2147483647";

function auth(client: Client, args: Args, { limits }: ServerContext): LocalReply {
  if (args.length > 3) throw new CommandError("ERR syntax error");
  if (args.length === 2 && limits.password === "") {
    throw new CommandError(
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    );
  }
  const [user, password] = args.length === 3 ? [args[1], args[2]] : [undefined, args[1]];
  checkPassword(limits.password, user, password as Uint8Array);
  client.authenticate();
  return OK;
}

function reset(client: Client, _args: Args, { limits }: ServerContext): LocalReply {
  const { state } = client;
  state.transaction = null;
  unwatch(client);
  state.name = "";
  state.replies = "on";
  state.readsLocally = false;
  state.version = 2;
  if (limits.password !== "") client.forget();
  return { type: "simple", text: "RESET" };
}
