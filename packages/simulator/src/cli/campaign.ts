import type { SimulationResult } from "../simulation.js";

/** What many runs came to. */
export class Campaign {
  runs = 0;
  steps = 0;
  virtualMs = 0;
  readonly violations: { readonly seed: number; readonly message: string }[] = [];
  readonly coverage: Map<string, number> = new Map();

  add({ seed, violation, steps, virtualMs, coverage }: SimulationResult): void {
    this.runs += 1;
    this.steps += steps;
    this.virtualMs += virtualMs;
    if (violation !== null) this.violations.push({ seed, message: violation.message });
    for (const [what, count] of coverage) this.coverage.set(what, (this.coverage.get(what) ?? 0) + count);
  }

  /** Rates, given how long it took on the real clock. */
  summary(seconds: number): string {
    const perSecond = Math.round(this.steps / seconds);
    const hours = (this.virtualMs / 3_600_000 / (seconds / 60)).toFixed(2);
    return `${this.runs} seeds, ${this.steps} steps, ${perSecond} steps/s, ${(this.virtualMs / 1000).toFixed(0)} virtual seconds (${hours} virtual hours a minute), ${this.violations.length} violations`;
  }

  /** What happened how often, one line each. */
  table(): string {
    const rows = [...this.coverage].sort(([a], [b]) => (a < b ? -1 : 1));
    const width = Math.max(...rows.map(([what]) => what.length));
    return rows.map(([what, count]) => `${what.padEnd(width)}  ${count}`).join("\n");
  }
}
