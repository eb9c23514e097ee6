import type { Campaign } from "./campaign.js";
import type { SimIo } from "./sim-io.js";

const BAR = 24;
const CLEAR_LINE = "\r\u001b[K";

/** One line on a terminal that says how far a campaign is; nothing anywhere else. */
export class Progress {
  readonly #io: SimIo;
  readonly #campaign: Campaign;

  constructor(io: SimIo, campaign: Campaign) {
    this.#io = io;
    this.#campaign = campaign;
  }

  /** @param share of the work that is done, from 0 to 1. */
  show(share: number, seconds: number): void {
    if (!this.#io.showsProgress) return;
    const done = Math.round(Math.min(1, share) * BAR);
    const bar = `${"=".repeat(done)}${" ".repeat(BAR - done)}`;
    const { runs, violations } = this.#campaign;
    const { stepsPerSecond, virtualHoursPerMinute } = this.#campaign.rates(seconds);
    this.#io.err(
      `${CLEAR_LINE}[${bar}] ${runs} seeds, ${stepsPerSecond} steps/s, ${virtualHoursPerMinute} virtual h/min, ${violations.length} violations`,
    );
  }

  clear(): void {
    if (this.#io.showsProgress) this.#io.err(CLEAR_LINE);
  }
}
