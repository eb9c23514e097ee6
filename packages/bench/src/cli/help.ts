import { BENCHES } from "../benches/all.js";

const WIDTH = Math.max(...BENCHES.map(({ name }) => name.length));

/** What `--help` prints. */
export const HELP: string = `Measures what Seshat costs, and checks that the work was done: every write on every node, in order.

Usage: pnpm bench [NAME] [options]

Benchmarks (without a name: minimal)
${BENCHES.map(({ name, about }) => `  ${name.padEnd(WIDTH)}  ${about}`).join("\n")}
  ${"all".padEnd(WIDTH)}  every one of them, one after another
  ${"check".padEnd(WIDTH)}  fails when the share of the promise limit falls below a floor: for continuous integration

Options
  --clients 1,64   how many clients there are at once (default: what suits the benchmark)
  --seconds S      how long a round takes (default 1; with --quick 0.2)
  --rounds N       rounds of each side (default 5); the figures are their medians
  --scale X        the share of the work where entries are counted and not seconds (default 1; with --quick 0.05)
  --quick          short rounds and little work: to see that it works
  --json           one line of JSON for each result, on standard output
  --compare DIR    runs this checkout and the one in DIR by turns, --rounds processes each, and prints how they compare
  --report         writes tables, and a chart of minimal, to docs/benchmarks (without a name: all)
  -h, --help       this text

How to read the figures
  A machine that others use too has no speed of its own, so the figure that counts is a share: of the promise limit (one promise
  for each operation, resolved in batches, no Raft), or of another checkout, measured by turns in the same run. "least" and
  "most" are over the rounds; "spread" is how far apart the rounds lie, as a share of their median: above 20 % the machine was busy,
  and the absolute figures say little.
  p50 and p99 are of every 16th operation. CPU is that of the whole process, clients and all nodes together.

Examples
  pnpm bench                                    the table of minimal, in about a minute
  pnpm bench reads --quick --json               one line of JSON for each policy and number of clients
  pnpm bench minimal --clients 64,1024 --compare ../main
  pnpm bench all --report                       everything, into docs/benchmarks: takes a quarter of an hour

Exit codes: 0 all went well, 1 the work was not done or the check failed, 2 wrong usage.
Long logs and --compare run in processes of their own. Flags of Node are passed on to them: NODE_OPTIONS=--max-semi-space-size=64 pnpm bench
`;
