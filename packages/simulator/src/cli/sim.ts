import { HELP, parseOptions } from "./options.js";
import type { SimOptions } from "./options.js";
import { runMany } from "./run-many.js";
import { runOne } from "./run-one.js";
import type { SimIo } from "./sim-io.js";

/** The command line of the simulator. @returns the exit code. */
export async function sim(args: readonly string[], io: SimIo): Promise<number> {
  let options: SimOptions;
  try {
    options = parseOptions(args);
  } catch (thrown) {
    io.err(`${(thrown as Error).message}\nTry --help.\n`);
    return 2;
  }
  switch (options.mode) {
    case "help":
      io.out(HELP);
      return 0;
    case "one":
      return runOne(options, io);
    case "many":
      return runMany(options, io);
  }
}
