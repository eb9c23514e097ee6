import type { BytesTypeConfig, LogEntry, LogId, Request, Vote } from "@seshat/common";
import { formatLogId, formatVote } from "@seshat/common";
import type { IoCompletion } from "@seshat/storage";
import { KeyValueStateMachine, OpenRaftMemStorage } from "@seshat/storage";

type ByteEntry = LogEntry<Request>;

/** A write of the log half. */
export type StorageCall = "saveVote" | "append" | "truncate" | "purge" | "saveCommitted";

/**
 * The in-memory storage, with a script: it notes every write, fails or hangs where it is told to, and can keep the completion of
 * appends back, as a disk does that has not synced yet.
 */
export class ScriptedStorage extends OpenRaftMemStorage<BytesTypeConfig> {
  /** Every write, in order, e.g. `append 1-2`. */
  readonly calls: string[] = [];
  /** What to throw instead of carrying a write out, by its name. */
  readonly failures = new Map<StorageCall, Error>();
  /** The writes that hang: they neither take effect nor end before `resume`. */
  readonly hanging = new Set<StorageCall>();
  readonly #hung: (() => void)[] = [];
  /** True while completions are kept back. */
  holdsCompletions = false;
  readonly #held: IoCompletion[] = [];

  readonly kv: KeyValueStateMachine;

  constructor(kv: KeyValueStateMachine = new KeyValueStateMachine()) {
    super(kv);
    this.kv = kv;
  }

  /** How many completions are kept back. */
  get held(): number {
    return this.#held.length;
  }

  /** Completes what was kept back, oldest first. */
  completeHeld(error: Error | null = null): void {
    for (const completion of this.#held.splice(0)) completion(error);
  }

  /** The disk answers again: what hung is carried out, in its order. */
  resume(): void {
    this.hanging.clear();
    for (const goOn of this.#hung.splice(0)) goOn();
  }

  override saveVote(vote: Vote): void {
    return this.#write("saveVote", formatVote(vote), () => super.saveVote(vote));
  }

  override append(entries: readonly ByteEntry[], completion: IoCompletion): void {
    return this.#write("append", entries.map(({ logId }) => formatLogId(logId)).join(" "), () =>
      super.append(entries, (error) => {
        if (this.holdsCompletions) this.#held.push(completion);
        else completion(error);
      }),
    );
  }

  override truncate(since: number): void {
    return this.#write("truncate", String(since), () => super.truncate(since));
  }

  override purge(upto: LogId): void {
    return this.#write("purge", formatLogId(upto), () => super.purge(upto));
  }

  override saveCommitted(committed: LogId): void {
    return this.#write("saveCommitted", formatLogId(committed), () => super.saveCommitted(committed));
  }

  /** The storage in memory answers at once, and says so in its types; one that hangs answers with a promise, as any storage may. */
  #write(call: StorageCall, detail: string, carryOut: () => void): void {
    this.#note(call, detail);
    if (!this.hanging.has(call)) return carryOut();
    const done = new Promise<void>((resolve) => {
      this.#hung.push(resolve);
    }).then(carryOut);
    return done as unknown as void;
  }

  #note(call: StorageCall, detail: string): void {
    this.calls.push(`${call} ${detail}`);
    const failure = this.failures.get(call);
    if (failure !== undefined) throw failure;
  }
}
