/**
 * The other side broke the protocol. Nothing after it can be read: answer, and close the connection.
 *
 * For commands, `message` is what Redis 7.0 says after `-ERR Protocol error: `.
 */
export class RespProtocolError extends Error {
  override readonly name = "RespProtocolError";
  readonly code = "RESP_PROTOCOL";
}
