import type { Client } from "../client/client.js";
import type { Args } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";
import { CommandError, SYNTAX_ERROR } from "./command-error.js";
import type { LocalReply } from "./local-command.js";
import { OK, cString, integer, latin1, word } from "./text.js";

/** CLIENT KILL, in its old form (an address) and its new one (filters). */
export function killClients(client: Client, args: Args, { clients }: ServerContext): LocalReply {
  if (args.length === 3) {
    const address = latin1(args[2]);
    const found = [...clients].find(({ state }) => state.address === address);
    if (found === undefined) throw new CommandError("ERR No such client");
    kill(found, client);
    return OK;
  }
  const filters: ((other: Client) => boolean)[] = [];
  let skipsSelf = true;
  for (let i = 2; i < args.length; i += 2) {
    if (i + 1 === args.length) throw new CommandError(SYNTAX_ERROR);
    const value = cString(args[i + 1]);
    switch (word(args, i)) {
      case "id": {
        const id = integer(args[i + 1]);
        if (id === null || id <= 0) throw new CommandError("ERR client-id should be greater than 0");
        filters.push((other) => other.id === id);
        break;
      }
      case "addr":
        filters.push(({ state }) => state.address === value);
        break;
      case "laddr":
        filters.push(({ state }) => state.localAddress === value);
        break;
      case "type": {
        const type = value.toLowerCase();
        if (!["normal", "master", "replica", "slave", "pubsub"].includes(type)) {
          throw new CommandError(`ERR Unknown client type '${value}'`);
        }
        filters.push(() => type === "normal");
        break;
      }
      case "user":
        if (value !== "default") throw new CommandError(`ERR No such user '${value}'`);
        break;
      case "skipme": {
        const answer = value.toLowerCase();
        if (answer !== "yes" && answer !== "no") throw new CommandError(SYNTAX_ERROR);
        skipsSelf = answer === "yes";
        break;
      }
      default:
        throw new CommandError(SYNTAX_ERROR);
    }
  }
  const chosen = [...clients].filter(
    (other) => !(skipsSelf && other === client) && filters.every((filter) => filter(other)),
  );
  for (const other of chosen) kill(other, client);
  return chosen.length;
}

function kill(other: Client, self: Client): void {
  // Who ends itself still gets the reply.
  if (other === self) other.end();
  else other.destroy();
}
