/** How much work a benchmark does. */
export interface BenchSettings {
  /** How many clients there are at once, one measurement for each number. Default: what suits the benchmark. */
  readonly clients?: readonly number[];
  /** How long a round takes. */
  readonly seconds: number;
  /** Rounds of each side, interleaved; the figures are their medians. At least 1. */
  readonly rounds: number;
  /** The share of the full work of benchmarks that count entries and not seconds, above 0 and at most 1. */
  readonly scale: number;
  /** Is told what is being measured. */
  readonly progress: (what: string) => void;
  /** Is told what people have to know about the figures, e.g. what could not be measured. */
  readonly notice: (what: string) => void;
}

/** One line of results: what `--json` prints. */
export type BenchResult = Readonly<Record<string, string | number | boolean | null>>;

/** One column of the table that people read. */
export interface Column {
  readonly title: string;
  readonly cell: (result: BenchResult) => string;
}

/** A benchmark by its name. */
export interface Bench {
  readonly name: string;
  /** One line for the help. */
  readonly about: string;
  /** What the page of its report says beyond that: lines of one paragraph. */
  readonly notes?: readonly string[];
  /** The fields that name a result: no two results of a run agree in all of them. */
  readonly keys: readonly string[];
  /** The fields by which two checkouts are compared. */
  readonly compared: readonly string[];
  readonly columns: readonly Column[];
  /** Yields each result as soon as its work was verified. @throws {VerificationError} when it was not done. */
  run(settings: BenchSettings): AsyncGenerator<BenchResult, void, undefined>;
}
