import { NotLeaderError } from "@seshat/common";
import type { LocalReader } from "../gateway/local-reader.js";
import type { LocalWriter } from "../gateway/local-writer.js";
import type { Outcome } from "../gateway/outcome.js";
import { decodeForward, encodeReplies } from "./forward-codec.js";

/** What a leader serves its followers with. */
export interface ForwardedParts {
  readonly writer: LocalWriter;
  readonly reader: LocalReader;
  isLeader(): boolean;
  /** How long an answer may be, in bytes. */
  readonly maxAnswerBytes: number;
}

/**
 * Does what a follower asks for, if this node leads: what is forwarded is not forwarded again. Requests are begun in the order of the calls.
 * Of reads whose replies do not fit into one answer it answers the first ones.
 *
 * @throws the error of what failed: it says by its type whether that may have been done.
 */
export async function serveForwarded(parts: ForwardedParts, payload: Uint8Array): Promise<Uint8Array> {
  const request = decodeForward(payload);
  if (!parts.isLeader()) throw new NotLeaderError(null, null);
  const outcome: Outcome = await (request.type === "write"
    ? parts.writer.submit(request.ops, payload.length)
    : parts.reader.submit(request.ops));
  if (outcome.type !== "done") throw outcome.error;
  return encodeReplies(outcome.replies, request.type === "read", parts.maxAnswerBytes);
}
