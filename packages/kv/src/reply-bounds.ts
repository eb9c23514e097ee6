import type { Reply } from "./reply.js";
import { errorReply } from "./reply.js";

/**
 * What the replies of one entry may count for, in bytes. Every node makes them, and makes them again when it applies the entry after a restart: one
 * that has no room for them would never start again. The last reply below the bound may be larger.
 */
export const MAX_REPLY_BYTES: number = 256 * 1024 * 1024;
/** Past the bound replies up to this size are given anyway. */
export const SMALL_REPLY_BYTES = 256;
/** What a reply counts for besides its bytes: about what it takes in memory. */
const REPLY_BYTES = 48;

const WHY = `the replies of what came in together count for more than ${MAX_REPLY_BYTES} bytes`;
export const TOO_MUCH_READ: Reply = errorReply(`ERR nothing was read: ${WHY}, ask for less at once`);
export const LEFT_OUT: Reply = errorReply(`ERR the command was carried out, and its reply left out: ${WHY}`);

/** What a reply counts for against {@link MAX_REPLY_BYTES}. The same on every node. */
export function sizeOfReply(reply: Reply): number {
  if (reply === null || typeof reply !== "object") return REPLY_BYTES;
  if (reply instanceof Uint8Array) return REPLY_BYTES + reply.length;
  if ("length" in reply) return sizeOfReplies(reply);
  switch (reply.type) {
    case "simple":
      return REPLY_BYTES + reply.text.length;
    case "error":
      return REPLY_BYTES + reply.message.length;
    case "map":
    case "pairs":
      return reply.entries.reduce((sum, pair) => sum + sizeOfReplies(pair), REPLY_BYTES);
    case "set":
      return sizeOfReplies(reply.items);
    case "nullArray":
    case "double":
      return REPLY_BYTES;
    default:
      return reply satisfies never;
  }
}

function sizeOfReplies(replies: readonly Reply[]): number {
  let bytes = REPLY_BYTES;
  for (const reply of replies) bytes += sizeOfReply(reply);
  return bytes;
}
