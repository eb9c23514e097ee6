import { InvalidValueError, checkInteger } from "@seshat/common";

/** How long an answer is waited for, in milliseconds. */
export interface GrpcDeadlines {
  /** Default 1000. */
  readonly preVote: number;
  /** Default 1000. */
  readonly vote: number;
  /** An `appendEntries` without entries. Default 1000. */
  readonly heartbeat: number;
  /** Default 1000. */
  readonly timeoutNow: number;
  /** Default 5000. */
  readonly readIndex: number;
  /** An `appendEntries` with entries. Default 60,000: what is on its way before it may be large, and the link slow. */
  readonly appendEntries: number;
  /** One part of a snapshot. Default 60,000. */
  readonly installSnapshot: number;
  /** What an application asks by a forwarder. Default 30,000. */
  readonly forward: number;
}

/**
 * The settings of a transport, the same for both ends. Times are in milliseconds. The timeouts of Raft itself are shorter and
 * decide: those here say when what nobody waits for any more is let go.
 */
export interface GrpcConfig {
  readonly deadlinesMs: GrpcDeadlines;
  /** A connection that is not made after this long is given up. Default 1000. */
  readonly connectTimeoutMs: number;
  /** The first pause after a connection broke or was not made; it doubles with each failure until a peer answers. Default 10. */
  readonly reconnectMinMs: number;
  /** The longest such pause. Below `electionTimeoutMinMs`, so that a peer that returns is found in time. Default 100. */
  readonly reconnectMaxMs: number;
  /** A peer is asked for a sign of life when it gave none for this long. Default 1000. */
  readonly keepaliveTimeMs: number;
  /** The connection is given up when it then gives none for this long. Default 2000. */
  readonly keepaliveTimeoutMs: number;
  /** Who connects must open a stream within this time, and again after its last one ended. Default 5000. */
  readonly idleTimeoutMs: number;
  /**
   * The largest message, in bytes. An entry that does not fit in one cannot be replicated: refuse larger commands before they are
   * written. Default 65 MiB, one more than the commands that `Raft` has waiting at once.
   */
  readonly maxMessageBytes: number;
  /** Requests without an answer on one stream; one more is rejected by the sender, and left in the socket by the receiver. Default 1024. */
  readonly maxInFlightRequests: number;
  /** Bytes of requests without an answer on one stream; a larger request goes alone. Default 32 MiB. */
  readonly maxInFlightBytes: number;
  /** Connections that a listener has at once; one more is closed. Default 256. */
  readonly maxConnections: number;
}

/** What may be left out: what is takes its default. */
export type GrpcConfigOptions = Partial<Omit<GrpcConfig, "deadlinesMs">> & {
  readonly deadlinesMs?: Partial<GrpcDeadlines>;
};

const MIB = 1024 * 1024;

/** The settings of a transport whose application says nothing. */
export const DEFAULT_GRPC_CONFIG: GrpcConfig = Object.freeze({
  deadlinesMs: Object.freeze({
    preVote: 1000,
    vote: 1000,
    heartbeat: 1000,
    timeoutNow: 1000,
    readIndex: 5000,
    appendEntries: 60_000,
    installSnapshot: 60_000,
    forward: 30_000,
  }),
  connectTimeoutMs: 1000,
  reconnectMinMs: 10,
  reconnectMaxMs: 100,
  keepaliveTimeMs: 1000,
  keepaliveTimeoutMs: 2000,
  idleTimeoutMs: 5000,
  maxMessageBytes: 65 * MIB,
  maxInFlightRequests: 1024,
  maxInFlightBytes: 32 * MIB,
  maxConnections: 256,
});

/** What every timer can hold. */
const MAX_MS = 2 ** 31 - 1;
/** What a message can say of its length, and a buffer can hold. */
const MAX_BYTES = 2 ** 31 - 1;
/** What a stream's ids can tell apart, with room to spare. */
const MAX_REQUESTS = 2 ** 24;

/**
 * Fills in defaults and checks every field.
 *
 * @throws {InvalidValueError} that names the field, e.g. `config.connectTimeoutMs`; an unknown field is one too.
 */
export function makeGrpcConfig(options: GrpcConfigOptions = {}): GrpcConfig {
  const config = fill("config", DEFAULT_GRPC_CONFIG, options);
  const deadlinesMs = fill("config.deadlinesMs", DEFAULT_GRPC_CONFIG.deadlinesMs, options.deadlinesMs ?? {});
  for (const [name, value] of Object.entries(deadlinesMs)) checkMs(`config.deadlinesMs.${name}`, value);
  for (const name of TIMES) checkMs(`config.${name}`, config[name]);
  for (const [name, most] of COUNTS) {
    const value = checkInteger(`config.${name}`, config[name], 1);
    if (value > most) throw new InvalidValueError(`config.${name}`, value, `at most ${most}`);
  }
  if (config.reconnectMaxMs < config.reconnectMinMs) {
    throw new InvalidValueError(
      "config.reconnectMaxMs",
      config.reconnectMaxMs,
      `at least reconnectMinMs (${config.reconnectMinMs})`,
    );
  }
  return Object.freeze({ ...config, deadlinesMs: Object.freeze(deadlinesMs) });
}

const TIMES = [
  "connectTimeoutMs",
  "reconnectMinMs",
  "reconnectMaxMs",
  "keepaliveTimeMs",
  "keepaliveTimeoutMs",
  "idleTimeoutMs",
] as const satisfies readonly (keyof GrpcConfig)[];

const COUNTS = [
  ["maxMessageBytes", MAX_BYTES],
  ["maxInFlightRequests", MAX_REQUESTS],
  ["maxInFlightBytes", Number.MAX_SAFE_INTEGER],
  ["maxConnections", MAX_REQUESTS],
] as const satisfies readonly (readonly [keyof GrpcConfig, number])[];

function fill<T extends object>(field: string, defaults: T, options: object): T {
  if (typeof options !== "object" || options === null)
    throw new InvalidValueError(field, options, "an object");
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(defaults, name)) {
      throw new InvalidValueError(`${field}.${name}`, "set", `one of ${Object.keys(defaults).join(", ")}`);
    }
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

function checkMs(field: string, value: unknown): void {
  checkInteger(field, value, 1);
  if ((value as number) > MAX_MS)
    throw new InvalidValueError(field, value, "a time in milliseconds below 2^31");
}
