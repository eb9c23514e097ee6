import type { NodeId, RaftTypeConfig } from "@seshat/common";
import type { RaftConfig } from "@seshat/raft";
import type { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import type { StateMachine } from "@seshat/storage";
import type { Model } from "./linearizability/model.js";
import type { SystemTransport } from "./network/system-transport.js";
import type { StoreCodec } from "./storage/codec.js";
import type { NodeStore } from "./world/node-storage.js";

/** An operation that a client was answered. */
export interface Seen<Input, Output> {
  readonly input: Input;
  readonly output: Output;
}

/** A client of a simulated cluster, as it draws its next operation. */
export interface SystemClient<Input, Output> {
  /** Unique in the run, e.g. `"client2"`. */
  readonly name: string;
  /** How many keys, or whatever operations contend for, this run is about: few, from 1 on. */
  readonly keys: number;
  /** How many bytes a large value is to have, of which now and then one is written; 0 for none. */
  readonly largeBytes: number;
  /** Milliseconds on the client's clock: what a command may carry in place of a clock that replicas would read. */
  readonly now: number;
  /** The share of this client's operations that are only to read, from 0 to 1. */
  readonly readShare: number;
  /** What this client was answered, newest last: the last 20. */
  readonly seen: readonly Seen<Input, Output>[];
}

/** Numbers in commands, that tell one request from another which asks for the same. */
export interface AttemptTags<D> {
  /** The command, with the number. */
  tag(command: D, attempt: number): D;
  /** The number of a command; null when it has none. */
  of(command: D): number | null;
}

/** A node's store. What is left out it cannot do, and is not done to it. */
export type SystemStore<C extends RaftTypeConfig> = Pick<NodeStore<C>, "open" | "crash"> &
  Partial<NodeStore<C>>;

/**
 * What is put under a simulation: an application's state machine, what its clients do with it, and where it has them, its storage and its
 * transport. `Input` is what a client asks for and `Output` what it is answered, in the words of the model.
 *
 * Whatever is asked of a system must depend on the arguments alone, so that a seed always does the same.
 */
export interface System<C extends RaftTypeConfig, Input, Output> {
  /** A state machine to which nothing has been applied. Called once for each life of a node. */
  makeMachine(): StateMachine<C["D"], C["R"]>;
  /** Draws the next operation of a client. */
  operation(random: SeededRandom, client: SystemClient<Input, Output>): Input;
  /** The command that an operation is; undefined for one that only reads. */
  toCommand(input: Input): C["D"] | undefined;
  /** What a client sees of the answer to a command. Default: the answer itself. */
  toOutput?(response: C["R"], input: Input): Output;
  /** Carries out an operation that only reads, on a node that confirmed that its state is fresh. Needed where `toCommand` gives undefined. */
  read?(machine: StateMachine<C["D"], C["R"]>, input: Input): Output;
  /** Reads that are made at the end, when all is healed: they show what was lost. Default: none. */
  lastReads?(keys: number): readonly Input[];
  /** How long clients think between two operations, in milliseconds; bursts make it shorter, and quiet times longer. Default 2. */
  readonly thinkMs?: number;
  /** What the operations are supposed to do. Without one, what clients see is not judged; everything else is. */
  readonly model?: Model<unknown, Input, Output>;
  /**
   * How a command carries the number of the request that asked for it, which must change nothing. With it, and with a model, each request is
   * followed into the log and out again while the run is under way (C1 to C7, C9).
   */
  readonly attempts?: AttemptTags<C["D"]>;
  /** How commands, and the descriptions of nodes, stand on the simulated disk. Default: as JSON. */
  readonly codec?: StoreCodec<C>;
  /** How the membership describes a node. Default: `{ addr: "node-1" }`. */
  describe?(id: NodeId, moves: number): C["Node"];
  /**
   * The storage of a node, empty. Called once for each store: again when a disk is erased. Default: `SimNodeStore`, on a simulated disk.
   *
   * @param random for what is up to chance in this store.
   */
  makeStore?(id: NodeId, random: SeededRandom, clock: VirtualClock): SystemStore<C>;
  /** How requests and answers become bytes and messages again. Default: they are carried as they are. */
  readonly transport?: SystemTransport<C>;
  /** Changes to the settings of the nodes. */
  readonly config?: Partial<RaftConfig>;
}
