import { LatencyHistogram, SeshatError, StoppedError, StorageError } from "@seshat/common";
import type { Command } from "./command.js";
import type { CommandResult } from "./command-result.js";
import type { CommandTarget } from "./command-target.js";
import type { Lane, Watch } from "./run-command.js";
import { laneOf, runCommand } from "./run-command.js";

/** Where a command stands: the name of its input and its line there, from 1. */
export interface Place {
  readonly source: string;
  readonly line: number;
}

/** Takes what the pipeline gives out, in the order of the commands. */
export interface PipelineOutput {
  /** True while nothing more should be given: what was given is not written yet. */
  readonly full: boolean;
  /** Resolves when `full` is false again, also when nothing can be written any more. */
  ready(): Promise<void>;
  result(result: CommandResult): void;
  error(place: Place, error: Error): void;
}

/** How much may be under way at once. */
export interface PipelineLimits {
  /** Commands whose result is not given out yet. */
  readonly maxCommands: number;
  /** Reads among them: each may hold a whole value. */
  readonly maxReads: number;
  /** Bytes of the lines of commands that are not settled; a single longer line may go alone. */
  readonly maxBytes: number;
}

/** Enough writes to fill the batches of the engine; in memory at most 8 MiB of lines and 128 values. */
const DEFAULT_PIPELINE_LIMITS: PipelineLimits = {
  maxCommands: 1024,
  maxReads: 128,
  maxBytes: 8 * 1024 * 1024,
};

/** What a pipeline counted. */
export interface PipelineStats {
  /** Commands, those that could not be understood included. */
  commands: number;
  /** Commands that failed. */
  errors: number;
  /** Milliseconds during which at least one command was under way. */
  busyMs: number;
  /** From handing a command to the cluster to its answer. */
  readonly latency: LatencyHistogram;
}

interface Slot {
  readonly place: Place;
  outcome: CommandResult | Error | null;
}

/**
 * Carries out commands with several under way at once, as if one followed the other: results and
 * errors come out in order, and a command sees the effect of every command before it and of none after it.
 *
 * Writes go to the log in order, so a run of them needs no waiting, and reads do not disturb each other. Between
 * a write and a read, and on both sides of a barrier, everything under way is settled first.
 */
export class Pipeline {
  readonly stats: PipelineStats = { commands: 0, errors: 0, busyMs: 0, latency: new LatencyHistogram() };
  readonly #target: CommandTarget;
  readonly #output: PipelineOutput;
  readonly #limits: PipelineLimits;
  readonly #now: () => number;
  readonly #watch: Watch;
  /** A ring of commands whose result is not given out: `#count` of them from `#head` on. */
  readonly #slots: (Slot | undefined)[];
  #head = 0;
  #count = 0;
  #unsettled = 0;
  #unsettledBytes = 0;
  /** The lane of the commands under way. */
  #lane: Lane = "local";
  #busySince = 0;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  #waitsForOutput = false;

  /**
   * @param now a monotonic clock in milliseconds.
   * @param watch carries out a watch, when everything before it was given out.
   */
  constructor(
    target: CommandTarget,
    output: PipelineOutput,
    now: () => number,
    watch: Watch,
    limits: PipelineLimits = DEFAULT_PIPELINE_LIMITS,
  ) {
    this.#target = target;
    this.#output = output;
    this.#now = now;
    this.#watch = watch;
    this.#limits = limits;
    this.#slots = Array.from({ length: limits.maxCommands }, () => undefined);
  }

  /** What makes going on senseless: the node has stopped, or something broke that is no answer to a command. */
  get failure(): Error | null {
    return this.#failure;
  }

  /**
   * Starts a command, now or when there is room for it. One call at a time.
   *
   * @param bytes the length of its line.
   * @returns a promise when the caller must wait before it goes on, otherwise undefined.
   */
  submit(command: Command, place: Place, bytes: number): Promise<void> | undefined {
    const lane = laneOf(command);
    if (this.#mustWait(lane, bytes)) return this.#startLater(command, lane, place, bytes);
    this.#start(command, lane, place, bytes);
    return undefined;
  }

  /** Takes a line that is no command: its error comes out in order with the results. As {@link submit} otherwise. */
  reject(error: Error, place: Place): Promise<void> | undefined {
    if (this.#mustWait("local", 0)) return this.#rejectLater(error, place);
    this.#push(place, error);
    return undefined;
  }

  /** Resolves when everything is settled and given out. */
  async drain(): Promise<void> {
    while (this.#count > 0) await this.#changed();
  }

  #mustWait(lane: Lane, bytes: number): boolean {
    if (this.#count === this.#limits.maxCommands) return true;
    // What is shown meanwhile must not overtake results, nor mix with them.
    if (lane === "watch") return this.#count > 0;
    if (lane === "local" || this.#unsettled === 0)
      return lane === "read" && this.#count >= this.#limits.maxReads;
    if (lane === "barrier" || lane !== this.#lane) return true;
    if (lane === "read") return this.#count >= this.#limits.maxReads;
    return this.#unsettledBytes + bytes > this.#limits.maxBytes;
  }

  async #startLater(command: Command, lane: Lane, place: Place, bytes: number): Promise<void> {
    while (this.#mustWait(lane, bytes)) await this.#changed();
    this.#start(command, lane, place, bytes);
  }

  async #rejectLater(error: Error, place: Place): Promise<void> {
    while (this.#mustWait("local", 0)) await this.#changed();
    this.#push(place, error);
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #start(command: Command, lane: Lane, place: Place, bytes: number): void {
    const slot = this.#push(place, null);
    const started = this.#now();
    if (this.#unsettled === 0) this.#busySince = started;
    this.#unsettled += 1;
    this.#unsettledBytes += bytes;
    if (lane !== "local") this.#lane = lane;
    const settle = (outcome: CommandResult | Error): void => {
      const ended = this.#now();
      this.#unsettled -= 1;
      this.#unsettledBytes -= bytes;
      // The time of a watch is the user's, who looks on.
      if (lane !== "watch") {
        this.stats.latency.record(ended - started);
        if (this.#unsettled === 0) this.stats.busyMs += ended - this.#busySince;
      }
      slot.outcome = outcome;
      this.#giveOut();
    };
    runCommand(this.#target, command, this.#watch).then(settle, (error: unknown) =>
      settle(this.#examine(error)),
    );
  }

  /** Tells errors that answer a command from those that end the run. */
  #examine(thrown: unknown): Error {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const answer =
      error instanceof SeshatError && !(error instanceof StoppedError) && !(error instanceof StorageError);
    if (!answer) this.#failure ??= error;
    return error;
  }

  #push(place: Place, outcome: Error | null): Slot {
    const slot: Slot = { place, outcome };
    this.#slots[(this.#head + this.#count) % this.#slots.length] = slot;
    this.#count += 1;
    this.stats.commands += 1;
    if (outcome !== null) this.#giveOut();
    return slot;
  }

  /** Gives out what is settled, from the oldest on, as far as the output takes it. */
  #giveOut(): void {
    while (this.#count > 0) {
      const slot = this.#slots[this.#head] as Slot;
      if (slot.outcome === null) break;
      if (this.#output.full) {
        this.#giveOutLater();
        break;
      }
      this.#slots[this.#head] = undefined;
      this.#head = (this.#head + 1) % this.#slots.length;
      this.#count -= 1;
      if (slot.outcome instanceof Error) {
        this.stats.errors += 1;
        this.#output.error(slot.place, slot.outcome);
      } else {
        this.#output.result(slot.outcome);
      }
    }
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #giveOutLater(): void {
    if (this.#waitsForOutput) return;
    this.#waitsForOutput = true;
    void this.#output.ready().then(() => {
      this.#waitsForOutput = false;
      this.#giveOut();
    });
  }
}
