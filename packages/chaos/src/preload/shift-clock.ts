/** Loaded before the server's program: the clock of this process is `CHAOS_CLOCK_MS` off. Timers are not: they go by another clock. */
import process from "node:process";

const offset = Number(process.env["CHAOS_CLOCK_MS"] ?? "0");
const now = Date.now;

class ShiftedDate extends Date {
  constructor(...args: readonly unknown[]) {
    if (args.length === 0) super(now() + offset);
    else super(...(args as [number]));
  }

  static override now(): number {
    return now() + offset;
  }
}

Reflect.set(globalThis, "Date", ShiftedDate);
