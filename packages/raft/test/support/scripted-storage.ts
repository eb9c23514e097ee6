import type { BytesTypeConfig, LogEntry, LogId, Request, Vote } from "@seshat/common";
import { formatLogId, formatVote } from "@seshat/common";
import type { IoCompletion } from "@seshat/storage";
import { KeyValueStateMachine, OpenRaftMemStorage } from "@seshat/storage";

type ByteEntry = LogEntry<Request>;

/** A write of the log half. */
export type StorageCall = "saveVote" | "append" | "truncate" | "purge" | "saveCommitted";

/**
 * The in-memory storage, with a script: it notes every write, fails where it is told to, and can keep the completion of
 * appends back, as a disk does that has not synced yet.
 */
export class ScriptedStorage extends OpenRaftMemStorage<BytesTypeConfig> {
  /** Every write, in order, e.g. `append 1-2`. */
  readonly calls: string[] = [];
  /** What to throw instead of carrying a write out, by its name. */
  readonly failures = new Map<StorageCall, Error>();
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

  override saveVote(vote: Vote): void {
    this.#note("saveVote", formatVote(vote));
    super.saveVote(vote);
  }

  override append(entries: readonly ByteEntry[], completion: IoCompletion): void {
    this.#note("append", entries.map(({ logId }) => formatLogId(logId)).join(" "));
    super.append(entries, (error) => {
      if (this.holdsCompletions) this.#held.push(completion);
      else completion(error);
    });
  }

  override truncate(since: number): void {
    this.#note("truncate", String(since));
    super.truncate(since);
  }

  override purge(upto: LogId): void {
    this.#note("purge", formatLogId(upto));
    super.purge(upto);
  }

  override saveCommitted(committed: LogId): void {
    this.#note("saveCommitted", formatLogId(committed));
    super.saveCommitted(committed);
  }

  #note(call: StorageCall, detail: string): void {
    this.calls.push(`${call} ${detail}`);
    const failure = this.failures.get(call);
    if (failure !== undefined) throw failure;
  }
}
