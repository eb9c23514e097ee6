import type { RaftTypeConfig } from "@seshat/common";
import type { MaybePromise } from "../traits/maybe-promise.js";
import type { RaftStateMachine } from "../traits/raft-state-machine.js";
import type { RaftStorage } from "../traits/raft-storage.js";
import type { Settle } from "./conformance-case.js";

/** Both halves of a store that is open. */
export interface OpenStorage<C extends RaftTypeConfig> {
  readonly storage: RaftStorage<C>;
  readonly stateMachine: RaftStateMachine<C>;
}

/**
 * What becomes of what was not durable when the power fails: all of it is gone; or all of it is gone but a part of the write that came
 * first, cut anywhere.
 */
export type UnsyncedFate = "lost" | "torn";

/** A crash that is to come. */
export interface ArmedCrash {
  /** Resolves once it has come, and `open` can be called. */
  readonly happened: Promise<void>;
  /** It is not wanted any more. Called once, after the crash too. */
  disarm(): MaybePromise<void>;
}

/**
 * Makes the stores that a suite tries: `C` is their type configuration, `M` what a store lives on (a directory, a simulated disk,
 * an object), which is the factory's own business.
 */
export interface StorageFactory<C extends RaftTypeConfig, M> {
  /** A new, empty medium. Each case asks for one, some for two. */
  create(): MaybePromise<M>;

  /** Opens the store on a medium, or begins it. It is open on it once at a time. */
  open(medium: M): MaybePromise<OpenStorage<C>>;

  /** Ends what is open and removes the medium: the case is over, whatever came of it. Default: nothing has to be done. */
  dispose?(medium: M): MaybePromise<void>;

  /**
   * Closes what is open, in good order; then `open` is called again. Only with it are there cases about restarts. A store that
   * lives as long as its object does nothing here, and gives the same object to the next `open`.
   */
  restart?(medium: M): MaybePromise<void>;

  /**
   * The power fails, now: calls under way need not end, and what is not durable is gone. Then `open` is called on what is left. Only
   * with it are there cases about crashes. On real files: keep what is open away from them, copy the directory, cut the copies
   * back to what was synced, go on with those.
   */
  crash?(medium: M, fate: UnsyncedFate): MaybePromise<void>;

  /**
   * The process is killed, now: calls under way need not end. What it wrote is there, but not more durable than it was: a `crash` after it takes
   * away what nobody has synced since. Then `open` is called. Only with it, and `crash`, are there cases about a power failure after that.
   */
  kill?(medium: M): MaybePromise<void>;

  /** What `crash` can bring about; where that is decided by chance say both. Default: `["lost"]`. */
  readonly fates?: readonly UnsyncedFate[];

  /**
   * Has the power fail just before the store's access number `step` to its medium, counted from now on and from 1. Then no call under
   * way ends. Only with it, and `crash`, are there cases that crash at every step of a call.
   */
  crashAt?(medium: M, step: number): ArmedCrash;

  /** The command number `n`, from 0 on. Each does something to the state that shows, and different numbers are different commands. */
  command(n: number): C["D"];

  /** How a member is described. */
  node(id: number): C["Node"];

  /** The application's data in an open store, as plain data that compares deeply. */
  readState(open: OpenStorage<C>): MaybePromise<unknown>;

  /** Sees to it that a case ends. Default: the clock of the machine, and `timeoutMs`. */
  readonly settle?: Settle;
}

/** How much a suite tries. */
export interface StorageConformanceOptions {
  /** Random runs in a case that makes some, and how often a crash is tried, up to 8 times. Default 20. */
  readonly rounds?: number;
  /** How long a case may take in milliseconds, without a `settle` of the factory. A bound for calls that never end. Default 30,000. */
  readonly timeoutMs?: number;
}
