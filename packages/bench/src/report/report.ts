import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Bench, BenchResult } from "../bench.js";
import { markdownTable } from "../cli/table.js";
import { grouped } from "../statistics/cells.js";
import type { Series } from "./chart.js";
import { drawChart } from "./chart.js";
import { PEERS } from "./peers.js";

const FOLDER = fileURLToPath(new URL("../../../../docs/benchmarks", import.meta.url));

const PEER_COLOURS = ["#8250df", "#9a6700", "#57606a"];

/** Writes what a benchmark came to into the documentation. @returns the paths of the files. */
export function writeReport(
  bench: Bench,
  results: readonly BenchResult[],
  folder: string = FOLDER,
  where: string = describeMachine(),
): string[] {
  mkdirSync(folder, { recursive: true });
  const files = new Map([[`${bench.name}.md`, reportText(bench, results, where)]]);
  if (bench.name === "minimal") files.set("minimal.svg", minimalChart(results));
  return [...files].map(([name, content]) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return relative(process.cwd(), path);
  });
}

function describeMachine(): string {
  const [cpu] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  const [, busy = 0] = loadavg();
  // Who reads absolute figures has to know how many others shared the processors.
  const load = `${busy.toFixed(1)} processes at work on them in the five minutes before, this one among them`;
  return `${date}, Node ${process.versions.node}, ${cpus().length} processors (${cpu?.model.trim() ?? "unknown"}), ${load}`;
}

/** The page of one benchmark. */
export function reportText(bench: Bench, results: readonly BenchResult[], where: string): string {
  const about = `${bench.about[0]?.toUpperCase()}${bench.about.slice(1)}.`;
  const notes = bench.notes === undefined ? "" : `${bench.notes.join("\n")}\n\n`;
  const page = `# ${bench.name}\n\n${about}\n\n${notes}Written by \`pnpm bench ${bench.name} --report\`: ${where}. How to read it: [README.md](README.md).\n\n${markdownTable(bench.columns, results)}`;
  return bench.name === "minimal" ? `${page}\n${minimalContext()}` : page;
}

function minimalContext(): string {
  const clients = [...(PEERS[0]?.putsPerSec.keys() ?? [])];
  const rows = PEERS.map(
    ({ name, putsPerSec }) => `| ${[name, ...[...putsPerSec.values()].map(grouped)].join(" | ")} |`,
  );
  return [
    "![puts/s over the number of clients](minimal.svg)",
    "",
    "For orientation, puts/s of others at the same work. These were **measured elsewhere**, on a machine of this size (2 cores), and not in",
    "this run: they tell the order of size. openraft is given with the best of its runtimes; it and the Go libraries grow with more",
    "cores, and one Node process does not.",
    "",
    `| clients | ${clients.join(" | ")} |`,
    `| --- | ${clients.map(() => "---:").join(" | ")} |`,
    ...rows,
    "",
  ].join("\n");
}

/** Puts/s over the number of clients: the limit, Seshat, and others measured elsewhere. */
export function minimalChart(results: readonly BenchResult[]): string {
  const points = (field: string): [number, number][] =>
    results
      .map((result): [number, number] => [Number(result["clients"]), Number(result[field])])
      .toSorted(([a], [b]) => a - b);
  const series: Series[] = [
    { name: "promise limit", points: points("limitPerSec"), colour: "#cf222e", dashed: false },
    { name: "Seshat", points: points("putsPerSec"), colour: "#0969da", dashed: false },
    ...PEERS.map(({ name, putsPerSec }, i) => ({
      name: `${name}, elsewhere`,
      points: [...putsPerSec],
      colour: PEER_COLOURS[i] as string,
      dashed: true,
    })),
  ];
  return drawChart(series, {
    title: "Three nodes in one process, empty commands",
    x: "clients, each awaiting its own write",
    y: "puts/s",
  });
}
