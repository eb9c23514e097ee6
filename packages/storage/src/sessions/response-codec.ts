/**
 * Writes and reads the responses of a state machine, so that sessions can keep them, also in snapshots.
 *
 * Part of what is replicated: every node of a cluster uses the same one, from the first entry on.
 */
export interface ResponseCodec<R> {
  /** Equal responses give equal bytes. Called once for each command of a session; a throw stops the node. */
  encode(response: R): Uint8Array;
  /**
   * Reads what {@link encode} wrote. A command that is sent again gets this in place of the first response.
   *
   * @throws {CodecError} when the bytes are no response.
   */
  decode(bytes: Uint8Array): R;
}
