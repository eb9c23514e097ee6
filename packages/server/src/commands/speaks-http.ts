import { word } from "./text.js";
import type { Args } from "../gateway/op.js";

/**
 * Whether a command is a line of a request of HTTP, as Redis looks for it: a page in somebody's browser can send one to this machine, with commands in
 * its body. `POST` begins one, and `Host:` stands in each before the body.
 */
export function speaksHttp(args: Args): boolean {
  const name = word(args, 0);
  return name === "post" || name === "host:";
}
