import type { KvConfig } from "@seshat/kv";
import type { RespValue } from "@seshat/resp";
import type { Client } from "../client/client.js";
import type { Args } from "../gateway/op.js";
import { sizeOfWrite } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { boundedGlob } from "./bounded-glob.js";
import { CommandError, SYNTAX_ERROR, wrongArity } from "./command-error.js";
import type { Change } from "./config-parameters.js";
import { refused } from "./config-parameters.js";
import type { LocalReply } from "./local-command.js";
import { NO_REPLY } from "./local-command.js";
import { OK, bulk, cString, latin1, lower, word } from "./text.js";
import { unknownSubcommand } from "./unknown-command.js";

/** CONFIG: what holds for this server, and what is replicated: limits that decide whether a write is made. */
export function runConfig(client: Client, args: Args, server: ServerContext): LocalReply {
  switch (word(args, 1)) {
    case "get":
      if (args.length < 3) throw wrongArity("config|get");
      return get(args, server);
    case "set":
      if (args.length < 4) throw wrongArity("config|set");
      return set(client, args, server);
    case "resetstat":
      if (args.length !== 2) throw wrongArity("config|resetstat");
      server.stats.reset();
      for (const route of server.table.all) route.calls = 0;
      return OK;
    case "rewrite":
      throw new CommandError("ERR The server is running without a config file");
    case "help":
      return ["CONFIG GET <pattern> ...", "CONFIG SET <directive> <value> ...", "CONFIG RESETSTAT"].map(
        (text) => ({
          type: "simple" as const,
          text,
        }),
      );
    default:
      throw new CommandError(unknownSubcommand(args));
  }
}

function get(args: Args, { parameters }: ServerContext): RespValue {
  const patterns = args.slice(2).map(lower);
  const matches = boundedGlob();
  const entries: (readonly [RespValue, RespValue])[] = [];
  for (const parameter of parameters.all) {
    const name = Buffer.from(parameter.name, "latin1");
    if (patterns.some((pattern) => matches(pattern, name))) entries.push([name, bulk(parameter.get())]);
  }
  return { type: "map", entries };
}

function set(client: Client, args: Args, { parameters }: ServerContext): LocalReply {
  if (args.length % 2 !== 0) throw new CommandError(SYNTAX_ERROR);
  const changes: Change[] = [];
  for (let i = 2; i < args.length; i += 2) {
    const name = word(args, i);
    const parameter = parameters.find(name);
    if (parameter === undefined) {
      throw new CommandError(
        `ERR Unknown option or number of arguments for CONFIG SET - '${cString(args[i])}'`,
      );
    }
    if (parameter.set === null) {
      const value = latin1(args[i + 1]);
      // To set what holds anyway does no harm.
      if (value === parameter.get()) continue;
      throw refused(name, "can't set immutable config");
    }
    changes.push(parameter.set(latin1(args[i + 1])));
  }
  // All of them or none: one that makes no sense has thrown by now.
  const config: Partial<KvConfig> = {};
  for (const change of changes) if (typeof change === "object") Object.assign(config, change);
  const isReplicated = Object.keys(config).length > 0;
  if (isReplicated) {
    const op = { type: "config", config } as const;
    client.write(op, sizeOfWrite(op));
  }
  for (const change of changes) if (typeof change === "function") change();
  return isReplicated ? NO_REPLY : OK;
}
