import { emptyDirectory } from "./directory.js";
import type { CliIo } from "./run-cli.js";

/** What the options of every such program say. */
interface RunOptions {
  readonly help: boolean;
  /** Null for a random one. */
  readonly seed: number | null;
  /** Null for a temporary one. */
  readonly dir: string | null;
}

export interface RunCommand<O extends RunOptions> {
  /** @throws {Error} that says which option makes no sense. */
  readonly parse: (args: readonly string[]) => O;
  readonly help: string;
  /** With what the name of a temporary directory begins. */
  readonly prefix: string;
}

/** A run that can begin. */
export interface BegunRun<O> {
  readonly options: O;
  /** Empty, and to be used by this run alone. */
  readonly dir: string;
  readonly seed: number;
}

/** Reads the options, makes the directory and says the seed. @returns the exit code where there is nothing to run. */
export async function beginRun<O extends RunOptions>(
  args: readonly string[],
  io: CliIo,
  { parse, help, prefix }: RunCommand<O>,
): Promise<BegunRun<O> | number> {
  let options: O;
  try {
    options = parse(args);
  } catch (thrown) {
    io.err(`${(thrown as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (options.help) {
    io.out(help);
    return 0;
  }
  const dir = await emptyDirectory(options.dir, prefix);
  if (dir === null) {
    io.err(`--dir is ${JSON.stringify(options.dir)}, but that directory is not empty\n`);
    return 2;
  }
  const seed = options.seed ?? io.freshSeed();
  io.err(`seed ${seed}\n`);
  return { options, dir, seed };
}
