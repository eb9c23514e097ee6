import type { Client } from "../client/client.js";
import type { Args } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { checkPassword } from "./authenticate.js";
import { CommandError } from "./command-error.js";
import type { LocalReply } from "./local-command.js";
import { checkClientName } from "./client-name.js";
import { bulk, cString, integer, word } from "./text.js";

/** Which Redis the replies and errors of this server are those of. */
export const REDIS_VERSION = "7.0.15";

/** HELLO: chooses the protocol, and says who both are. */
export function hello(client: Client, args: Args, server: ServerContext): LocalReply {
  const { state } = client;
  let version = state.version;
  let at = 1;
  if (args.length > 1) {
    const wanted = integer(args[1]);
    if (wanted === null) throw new CommandError("ERR Protocol version is not an integer or out of range");
    if (wanted !== 2 && wanted !== 3) throw new CommandError("NOPROTO unsupported protocol version");
    version = wanted;
    at = 2;
  }
  // One after the other, as Redis does: what stands before an option that makes no sense has been done.
  while (at < args.length) {
    const option = word(args, at);
    const left = args.length - 1 - at;
    if (option === "auth" && left >= 2) {
      checkPassword(server.limits.password, args[at + 1], args[at + 2] as Uint8Array);
      client.authenticate();
      at += 3;
    } else if (option === "setname" && left >= 1) {
      state.name = checkClientName(args[at + 1] as Uint8Array);
      at += 2;
    } else {
      throw new CommandError(`ERR Syntax error in HELLO option '${cString(args[at])}'`);
    }
  }
  if (!state.isAuthenticated) {
    throw new CommandError(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  }
  state.version = version;
  return {
    type: "map",
    entries: [
      [bulk("server"), bulk("redis")],
      [bulk("version"), bulk(REDIS_VERSION)],
      [bulk("proto"), version],
      [bulk("id"), client.id],
      [bulk("mode"), bulk("standalone")],
      [bulk("role"), bulk(server.node.raft.isLeader() ? "master" : "replica")],
      [bulk("modules"), []],
    ],
  };
}
