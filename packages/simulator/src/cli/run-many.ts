import { Campaign } from "./campaign.js";
import { failureText, replayCommand, savePicture } from "./failure.js";
import type { ManyOptions } from "./options.js";
import { Progress } from "./progress.js";
import type { SeedReport, SeedRunner } from "./run-seed.js";
import { localRunner } from "./run-seed.js";
import type { SimIo } from "./sim-io.js";

const INTERRUPTED = 130;

/** Runs many seeds. @returns the exit code. */
export async function runMany(options: ManyOptions, io: SimIo): Promise<number> {
  return new Many(options, io).run();
}

class Many {
  readonly #options: ManyOptions;
  readonly #io: SimIo;
  readonly #campaign = new Campaign();
  readonly #progress: Progress;
  readonly #from: number;
  readonly #startedAt: number;
  #begun = 0;

  constructor(options: ManyOptions, io: SimIo) {
    this.#options = options;
    this.#io = io;
    this.#progress = new Progress(io, this.#campaign);
    this.#from = options.from ?? io.freshSeed();
    this.#startedAt = io.now();
  }

  async run(): Promise<number> {
    const { jobs } = this.#options;
    if (this.#options.from === null) this.#say(`fresh seeds, from ${this.#from} on\n`);
    const runners = jobs === 1 ? [localRunner] : Array.from({ length: jobs }, () => this.#io.startRunner());
    try {
      await Promise.all(runners.map((runner) => this.#work(runner)));
    } finally {
      for (const runner of runners) runner.stop();
      this.#progress.clear();
    }
    return this.#conclude();
  }

  /** Takes one seed after another until none is left, or the time is over. */
  async #work(runner: SeedRunner): Promise<void> {
    const { interrupted } = this.#io;
    const { seeds, minutes, size, maxSteps, twice } = this.#options;
    const aborted = new Promise<null>((resolve) => {
      interrupted.addEventListener("abort", () => resolve(null), { once: true });
    });
    while (!interrupted.aborted && this.#begun < seeds && this.#seconds() < minutes * 60) {
      const seed = this.#from + this.#begun;
      this.#begun += 1;
      const report = await Promise.race([runner.run({ seed, size, maxSteps, twice }), aborted]);
      if (report === null) return;
      await this.#note(report);
    }
  }

  async #note(report: SeedReport): Promise<void> {
    const { seeds, minutes, out } = this.#options;
    this.#campaign.add(report);
    const { seed, violation, picture } = report;
    if (violation !== null) {
      this.#progress.clear();
      this.#say(failureText(seed, violation, this.#options, this.#io.showsColour));
      this.#say(await savePicture(seed, picture, out, this.#io));
    }
    const seconds = this.#seconds();
    this.#progress.show(Math.max(this.#campaign.runs / seeds, seconds / 60 / minutes), seconds);
  }

  #conclude(): number {
    const campaign = this.#campaign;
    const seconds = this.#seconds();
    const isInterrupted = this.#io.interrupted.aborted;
    const { never } = campaign;
    const lacks = this.#options.requireCoverage && never.length > 0;
    if (this.#options.json) {
      const violations = campaign.violations.map((violation) => ({
        ...violation,
        replay: replayCommand(violation.seed, this.#options),
      }));
      const { runs, steps, virtualMs, coverage } = campaign;
      this.#io.out(
        `${JSON.stringify({
          from: this.#from,
          seeds: runs,
          steps,
          virtualMs,
          seconds,
          ...campaign.rates(seconds),
          interrupted: isInterrupted,
          violations,
          never,
          coverage: Object.fromEntries(coverage),
        })}\n`,
      );
    } else {
      this.#io.out(`\n${campaign.table()}\n\n${campaign.summary(seconds)}\n`);
    }
    if (lacks) this.#say(`never happened, but is required: ${never.join(", ")}\n`);
    if (isInterrupted) {
      this.#say("interrupted\n");
      return INTERRUPTED;
    }
    return campaign.violations.length === 0 && !lacks ? 0 : 1;
  }

  /** To whoever reads along. */
  #say(text: string): void {
    if (this.#options.json) this.#io.err(text);
    else this.#io.out(text);
  }

  #seconds(): number {
    return Math.max(0.001, (this.#io.now() - this.#startedAt) / 1000);
  }
}
