import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { minimal } from "../benches/minimal.js";
import { reads } from "../benches/reads.js";
import { drawChart } from "./chart.js";
import { minimalChart, reportText, writeReport } from "./report.js";

const RESULTS = [
  { bench: "minimal", clients: 1, putsPerSec: 100_000, limitPerSec: 4_000_000, shareOfLimit: 0.025 },
  { bench: "minimal", clients: 64, putsPerSec: 1_500_000, limitPerSec: 6_000_000, shareOfLimit: 0.25 },
];

/** The points of each line of a chart. */
function lines(svg: string): number[][][] {
  return [...svg.matchAll(/<polyline points="(?<points>[^"]+)"/g)].map((match) =>
    (match.groups?.["points"] ?? "").split(" ").map((point) => point.split(",").map(Number)),
  );
}

describe("the page of a benchmark", () => {
  test("has a row for each result, and says on what it was measured", () => {
    const page = reportText(reads, [], "a machine");
    expect(page).toMatch(/^# reads\n\nLinearizable reads\/s/);
    expect(page).toContain("a machine");
    expect(reportText(minimal, RESULTS, "")).toContain("| - | 64 | 1,500,000 | 25.0 % |");
  });

  test("of minimal has the figures of others, and says that they were measured elsewhere", () => {
    const page = reportText(minimal, RESULTS, "");
    expect(page).toContain("| openraft 0.10 | 26,000 | 543,000 | 742,000 | 744,000 | 717,000 |");
    expect(page).toContain("**measured elsewhere**");
    expect(reportText(reads, [], "")).not.toContain("elsewhere");
  });

  test("is written, with a chart beside that of minimal", () => {
    const folder = mkdtempSync(join(tmpdir(), "seshat-report-"));
    try {
      expect(writeReport(minimal, RESULTS, folder).map((path) => basename(path))).toEqual([
        "minimal.md",
        "minimal.svg",
      ]);
      expect(readFileSync(join(folder, "minimal.md"), "utf8")).toContain("](minimal.svg)");
      expect(readFileSync(join(folder, "minimal.svg"), "utf8")).toMatch(/^<svg /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the chart", () => {
  test("has the limit, Seshat and each of the others, named so that it is clear what was measured where", () => {
    const svg = minimalChart(RESULTS);
    expect(lines(svg)).toHaveLength(5);
    expect(svg.match(/, elsewhere</g)).toHaveLength(3);
    expect(svg.match(/stroke-dasharray/g)).toHaveLength(3);
  });

  test("is logarithmic both ways: equal ratios are equal distances, and more is higher", () => {
    const points = [1, 10, 100].map((value): [number, number] => [value, value * 50]);
    const [line = []] = lines(
      drawChart([{ name: "a", points, colour: "#000000", dashed: false }], { title: "", x: "", y: "" }),
    );
    const [a, b, c] = line as [number[], number[], number[]];
    expect((c[0] as number) - (b[0] as number)).toBeCloseTo((b[0] as number) - (a[0] as number), 0);
    expect((a[1] as number) - (b[1] as number)).toBeCloseTo((b[1] as number) - (c[1] as number), 0);
    expect(c[1]).toBeLessThan(a[1] as number);
  });

  test("draws one measurement alone, and text that looks like markup as text", () => {
    const svg = drawChart([{ name: "a<b&c", points: [[64, 100]], colour: "#000000", dashed: false }], {
      title: "",
      x: "",
      y: "",
    });
    expect(svg).toContain("a&lt;b&amp;c");
    expect(svg).not.toContain("NaN");
  });

  test("keeps the names at the right edge apart, however close the lines end", () => {
    const svg = drawChart(
      [100, 101, 102].map((y) => ({
        name: `at ${y}`,
        points: [[1, y]] as const,
        colour: "#000000",
        dashed: false,
      })),
      { title: "", x: "", y: "" },
    );
    const heights = [...svg.matchAll(/y="(?<y>[\d.]+)" fill="#000000">at /g)].map((match) =>
      Number(match.groups?.["y"]),
    );
    expect(heights).toHaveLength(3);
    for (let i = 1; i < 3; i += 1)
      expect((heights[i] as number) - (heights[i - 1] as number)).toBeGreaterThanOrEqual(15);
  });
});
