import { parseArgs } from "node:util";
import { BENCHES } from "../benches/all.js";

/** What the command line asks for. */
export interface CliOptions {
  /** A benchmark, `all` or `check`. */
  readonly name: string;
  readonly json: boolean;
  readonly quick: boolean;
  readonly seconds: number;
  readonly rounds: number;
  /** The share of the work where entries are counted. */
  readonly scale: number;
  /** Undefined for what suits the benchmark. */
  readonly clients: readonly number[] | undefined;
  /** The other checkout, or null. */
  readonly compare: string | null;
  readonly report: boolean;
  readonly help: boolean;
}

const QUICK_SECONDS = 0.2;
const DEFAULT_SECONDS = 1;
const QUICK_SCALE = 0.05;
const DEFAULT_ROUNDS = 5;
const MOST_SECONDS = 600;
const MOST_ROUNDS = 1000;
/** More than may wait at once on a node with the default settings are refused. */
const MOST_CLIENTS = 10_000;

const NAMES: readonly string[] = [...BENCHES.map(({ name }) => name), "all", "check"];

/** @throws {Error} that says which option makes no sense. */
export function parseOptions(args: readonly string[]): CliOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      seconds: { type: "string" },
      rounds: { type: "string" },
      scale: { type: "string" },
      clients: { type: "string" },
      compare: { type: "string" },
      report: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { json, quick, report, help } = values;
  const [name = report ? "all" : "minimal", second] = positionals;
  if (second !== undefined) throw new Error(`one benchmark at a time, not ${positionals.join(" and ")}`);
  if (!NAMES.includes(name))
    throw new Error(`there is no benchmark ${JSON.stringify(name)}: there are ${NAMES.join(", ")}`);
  if (values.compare !== undefined && (name === "all" || name === "check" || report))
    throw new Error("--compare takes one benchmark, and no --report");
  if (name === "check" && report) throw new Error("check has nothing to report");
  return {
    name,
    json,
    quick,
    seconds: positive("--seconds", values.seconds, quick ? QUICK_SECONDS : DEFAULT_SECONDS, MOST_SECONDS),
    scale: positive("--scale", values.scale, quick ? QUICK_SCALE : 1, 1),
    rounds: values.rounds === undefined ? DEFAULT_ROUNDS : whole("--rounds", values.rounds, MOST_ROUNDS),
    clients: values.clients?.split(",").map((text) => whole("--clients", text, MOST_CLIENTS)),
    compare: values.compare ?? null,
    report,
    help,
  };
}

function whole(option: string, text: string, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 1 || value > most)
    throw new Error(`${option} is ${JSON.stringify(text)}, but takes whole numbers from 1 to ${most}`);
  return value;
}

function positive(option: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value > 0 && value <= most))
    throw new Error(`${option} is ${JSON.stringify(text)}, but takes a number above 0, and at most ${most}`);
  return value;
}
