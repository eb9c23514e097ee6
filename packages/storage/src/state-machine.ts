import type { ResponseCodec } from "./sessions/response-codec.js";
import type { MaybePromise } from "./traits/maybe-promise.js";

/** A captured state, ready to be written out while the state machine goes on. */
export interface StateCapture {
  /** The bytes of the state, in chunks of bounded length. Equal states give equal bytes. */
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * What an application implements to be replicated: commands `D` in, responses `R` out.
 *
 * `OpenRaftStateMachine` puts it behind Raft: it skips what was applied before, keeps
 * track of the last applied entry and membership, and keeps the snapshots.
 */
export interface StateMachine<D, R> {
  /**
   * Applies one command. The result depends on the state, `index` and `data` alone.
   *
   * @param index the log index of the command: rises from call to call, not always by one.
   * @returns the response, also to a command that makes no sense. A throw stops the node.
   */
  apply(index: number, data: D): R;

  /**
   * What the last {@link apply} has taken of the processor, in nanoseconds, roughly. Where it is told, commands that come together and take long leave timers and sockets
   * their turns. Nothing else depends on it. Default: 0.
   */
  readonly work?: number;

  /** Captures the state of this moment. Cheap: it is called between two applies. */
  capture(): StateCapture;

  /**
   * Replaces the state by what {@link StateCapture.chunks} wrote, cut into chunks in any way.
   * Atomic: when it throws, the old state stands.
   *
   * @throws {CodecError} when the bytes are damaged.
   */
  restore(chunks: AsyncIterable<Uint8Array>): MaybePromise<void>;

  /**
   * How sessions keep responses, also in snapshots. With it clients can have sessions, in which a command that is sent
   * again takes effect once; without it they cannot. Read once, by the constructor of `OpenRaftStateMachine`.
   */
  readonly responseCodec?: ResponseCodec<R>;
}
