import type { Args } from "../gateway/op.js";
import { latin1 } from "./text.js";

/** How much of a command that nobody knows is repeated. */
const SHOWN = 128;

/** What Redis says to a command that it does not know. */
export function unknownCommand(args: Args): string {
  let rest = "";
  for (let i = 1; i < args.length && rest.length < SHOWN; i++) {
    rest += `'${cString(args[i]).slice(0, SHOWN - rest.length)}' `;
  }
  return `ERR unknown command '${cString(args[0]).slice(0, SHOWN)}', with args beginning with: ${rest}`;
}

export function unknownSubcommand(args: Args): string {
  const name = cString(args[0]);
  return `ERR unknown subcommand '${cString(args[1]).slice(0, SHOWN)}'. Try ${name.toUpperCase()} HELP.`;
}

/** Redis prints what clients sent as strings of C, which end at a NUL. */
function cString(bytes: Uint8Array | undefined): string {
  const text = latin1(bytes?.subarray(0, 4 * SHOWN));
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
