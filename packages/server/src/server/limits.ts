/** What clients may do, and how much of it. Can be changed while the server runs, by CONFIG SET. */
export interface ClientLimits {
  /** The password that clients must give; empty for none. */
  password: string;
  maxClients: number;
  /** A client that says nothing for this long is disconnected, in seconds; 0 for never. */
  idleSeconds: number;
  /** Replies that a client has not taken, in bytes; past it, it is disconnected. */
  maxOutputBytes: number;
  /** The same of all clients together: who then is sent more is disconnected. */
  maxTotalOutputBytes: number;
  /** The longest argument, in bytes. */
  maxBulkBytes: number;
  /** The longest command, in bytes. It has to fit in one message between nodes. */
  maxCommandBytes: number;
}

export const DEFAULT_CLIENT_LIMITS: ClientLimits = Object.freeze({
  password: "",
  maxClients: 10_000,
  idleSeconds: 0,
  maxOutputBytes: 256 * 1024 * 1024,
  maxTotalOutputBytes: 1024 * 1024 * 1024,
  maxBulkBytes: 512 * 1024 * 1024,
  maxCommandBytes: 48 * 1024 * 1024,
});
