import type { Journal } from "../journal/journal.js";
import type { JournalRecord } from "../journal/record.js";
import type { MarkerFile } from "../opening/marker-file.js";
import { DurableMark } from "./durable-mark.js";

/** So much of what nobody asks to be durable waits for something that is to be. */
const MAX_HELD_BYTES = 1_048_576;

export interface JournalWriterParts {
  readonly journal: Journal;
  readonly marker: MarkerFile;
  /** The number of the last record, which is durable. */
  readonly number: number;
  /** What has to end before more may be written; null when nothing has. */
  readonly makeRoom: () => Promise<void> | null;
  /** So many bytes were written and are durable; it began when `performance.now()` told `startedAt`. */
  readonly onWritten: (bytes: number, startedAt: number) => void;
  /** Something was not written, or the marker was not. Nothing is any more. */
  readonly onFailure: (error: unknown) => void;
}

/** A record that is not durable yet. */
interface Held {
  readonly record: JournalRecord;
  readonly onDurable: ((error: Error | null) => void) | null;
}

/** Brings records into the journal, in order: all that wait with one write, which makes them durable. */
export class JournalWriter {
  readonly #parts: JournalWriterParts;
  readonly #mark: DurableMark;
  #held: Held[] = [];
  #heldBytes = 0;
  /** True when somebody asks for one of those held to be durable. */
  #isAskedFor = false;
  #inJournal: readonly Held[] = [];
  #bytes = 0;
  #writing: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: JournalWriterParts) {
    this.#parts = parts;
    this.#mark = new DurableMark(parts.marker, parts.number, parts.onFailure);
  }

  /** Of the records that are not durable: those that wait, and those being written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param onDurable called once, when it is durable or never will be; null when nobody asks for that. */
  add(record: JournalRecord, onDurable: Held["onDurable"]): void {
    this.#held.push({ record, onDurable });
    this.#heldBytes += record.size;
    this.#bytes += record.size;
    this.#isAskedFor ||= onDurable !== null;
    this.#schedule();
  }

  /** Nothing is begun any more. What is not durable is told `error`. */
  stop(error: Error): void {
    this.#stopped = true;
    const lost = [...this.#inJournal, ...this.#held];
    this.#inJournal = [];
    this.#held = [];
    for (const { onDurable } of lost) onDurable?.(error);
  }

  /** Ends when no call to the journal is under way. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** Ends when no call to the marker is under way. @param isWhole the marker is to be durable then. */
  close(isWhole: boolean): Promise<void> {
    return this.#mark.close(isWhole);
  }

  #schedule(): void {
    if (this.#writing !== null || this.#stopped) return;
    if (!this.#isAskedFor && this.#heldBytes < MAX_HELD_BYTES) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
      this.#schedule();
    });
  }

  async #write(): Promise<void> {
    const { journal, makeRoom, onWritten, onFailure } = this.#parts;
    await makeRoom();
    // Here and below: whoever waits has been told.
    if (this.#stopped) return;
    const startedAt = performance.now();
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#isAskedFor = false;
    this.#inJournal = held;
    try {
      const records = held.map(({ record }) => record);
      const bytes = await journal.append(records, this.#mark.number);
      if (this.#stopped) return;
      await this.#mark.set((held.at(-1) as Held).record.number);
      if (this.#stopped) return;
      this.#bytes -= bytes;
      onWritten(bytes, startedAt);
    } catch (cause) {
      return onFailure(cause);
    }
    this.#inJournal = [];
    for (const { record } of held) record.stands("journal");
    for (const { onDurable } of held) onDurable?.(null);
  }
}
