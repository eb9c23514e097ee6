import type { RespValue } from "@seshat/resp";

/** Whether a reply is an error. Every reply of every client is asked: bytes, which most are, are told apart first. */
export function isErrorReply(reply: RespValue): reply is Extract<RespValue, { readonly type: "error" }> {
  return (
    typeof reply === "object" &&
    reply !== null &&
    !(reply instanceof Uint8Array) &&
    "type" in reply &&
    reply.type === "error"
  );
}
