import { coverageTable, missing } from "../tally/coverage-table.js";
import type { SeedReport, SeedViolation } from "./run-seed.js";

/** How fast a campaign goes, on the real clock. */
interface Rates {
  readonly stepsPerSecond: number;
  readonly seedsPerSecond: number;
  readonly virtualHoursPerMinute: number;
}

/** What many runs came to. */
export class Campaign {
  runs = 0;
  steps = 0;
  virtualMs = 0;
  readonly violations: (SeedViolation & { readonly seed: number })[] = [];
  readonly coverage: Map<string, number> = new Map();

  add({ seed, violation, steps, virtualMs, coverage }: SeedReport): void {
    this.runs += 1;
    this.steps += steps;
    this.virtualMs += virtualMs;
    if (violation !== null) this.violations.push({ seed, ...violation });
    for (const [what, count] of coverage) this.coverage.set(what, (this.coverage.get(what) ?? 0) + count);
  }

  /** What should have happened and did not. */
  get never(): readonly string[] {
    return missing(this.coverage);
  }

  rates(seconds: number): Rates {
    return {
      stepsPerSecond: Math.round(this.steps / seconds),
      seedsPerSecond: rounded(this.runs / seconds),
      virtualHoursPerMinute: rounded(this.virtualMs / 3_600_000 / (seconds / 60)),
    };
  }

  /** @param seconds how long it took on the real clock. */
  summary(seconds: number): string {
    const { stepsPerSecond, seedsPerSecond, virtualHoursPerMinute } = this.rates(seconds);
    const time = `${(this.virtualMs / 3_600_000).toFixed(2)} virtual hours in ${seconds.toFixed(0)} s`;
    const rate = `${stepsPerSecond} steps/s, ${seedsPerSecond} seeds/s, ${virtualHoursPerMinute} virtual hours a minute`;
    const { length } = this.violations;
    return `${this.runs} ${this.runs === 1 ? "seed" : "seeds"}, ${this.steps} steps, ${time}\n${rate}\n${length} ${length === 1 ? "violation" : "violations"}`;
  }

  /** What happened how often. */
  table(): string {
    return coverageTable(this.coverage);
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
