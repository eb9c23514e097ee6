import type { CommandSpec } from "@seshat/kv";
import type { ClientState } from "../client/client-state.js";
import type { Args } from "../gateway/op.js";
import { wrongArity } from "./command-error.js";
import type { Route } from "./command-table.js";
import { fitsArity } from "./command-table.js";
import { word } from "./text.js";
import { unknownCommand, unknownSubcommand } from "./unknown-command.js";

/** Why a command is not carried out, and not queued either, in the words and the order of Redis; null when it is. */
export function refusalOf(
  found: Route | null,
  args: Args,
  { isAuthenticated, transaction }: ClientState,
): string | null {
  if (found === null) return unknownCommand(args);
  const { spec } = found;
  const problem = arityProblem(spec, args);
  if (problem !== null) return problem;
  if (!isAuthenticated && !spec.flags.includes("no_auth")) return "NOAUTH Authentication required.";
  if (transaction !== null && spec.flags.includes("no_multi"))
    return "ERR Command not allowed inside a transaction";
  return null;
}

function arityProblem(spec: CommandSpec, args: Args): string | null {
  if (!fitsArity(spec, args.length)) return wrongArity(spec.name).message;
  if (spec.subcommands === undefined || args.length === 1) return null;
  const name = `${spec.name}|${word(args, 1)}`;
  const inner = spec.subcommands.find((sub) => sub.name === name);
  if (inner === undefined) return unknownSubcommand(args);
  return fitsArity(inner, args.length) ? null : wrongArity(name).message;
}
