import type { Args } from "../gateway/op.js";
import { cString } from "./text.js";

/** How much of a command that nobody knows is repeated. */
const SHOWN = 128;

/** What Redis says to a command that it does not know. */
export function unknownCommand(args: Args): string {
  let rest = "";
  for (let i = 1; i < args.length && rest.length < SHOWN; i++) {
    rest += `'${cString(args[i]?.subarray(0, SHOWN)).slice(0, SHOWN - rest.length)}' `;
  }
  return `ERR unknown command '${cString(args[0]?.subarray(0, SHOWN)).slice(0, SHOWN)}', with args beginning with: ${rest}`;
}

export function unknownSubcommand(args: Args): string {
  const name = cString(args[0]);
  return `ERR unknown subcommand '${cString(args[1]?.subarray(0, SHOWN)).slice(0, SHOWN)}'. Try ${name.toUpperCase()} HELP.`;
}
