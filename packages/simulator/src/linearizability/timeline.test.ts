import { describe, expect, test } from "vitest";
import { checkLinearizability } from "./check-linearizability.js";
import type { IllegalPart } from "./illegal-part.js";
import type { Model } from "./model.js";
import { redisStringModel } from "./models/redis-string.js";
import type { RedisStringInput, RedisStringReply } from "./models/redis-string.js";
import type { Operation } from "./operation.js";
import { linearizabilityReport } from "./report.js";
import { linearizabilityTimeline } from "./timeline.js";

type Op = Operation<RedisStringInput, RedisStringReply>;
const model = redisStringModel();

const stale: Op[] = [
  { client: 1, input: { key: "k", f: "set", value: "a" }, call: 1, ret: 2, status: "ok", output: "OK" },
  { client: 2, input: { key: "k", f: "set", value: "b" }, call: 3, ret: 4, status: "unknown" },
  { client: 1, input: { key: "k", f: "get" }, call: 5, ret: 6, status: "ok", output: "b" },
  { client: 2, input: { key: "k", f: "get" }, call: 7, ret: 8, status: "ok", output: "a" },
  { client: 3, input: { key: "k", f: "exists" }, call: 7, ret: 8, status: "ok", output: "1" },
];

function partOf(history: readonly Op[]): IllegalPart<RedisStringInput, RedisStringReply> {
  const result = checkLinearizability(history, model);
  if (result.verdict !== "illegal") throw new Error(result.verdict);
  return result.part;
}

/** What an XML parser must check of a text without entities of its own: every element closed, nothing bare. */
function checkWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml.replaceAll(
    /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g,
    (_, close, name: string, __, single) => {
      if (close === "/") expect(open.pop()).toBe(name);
      else if (single !== "/") open.push(name);
      return "";
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/);
  expect(xml.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
  expect(xml).not.toMatch(/[^\n\P{C}]/u);
}

describe("the picture of an illegal part", () => {
  const svg = linearizabilityTimeline(partOf(stale), model);
  const bars = [...svg.matchAll(/<g data-index="(\d+)" data-role="(\w+)">.*?<\/g>/g)];

  test("is one SVG element that refers to nothing else", () => {
    checkWellFormed(svg);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^]*<\/svg>\n$/);
    expect(svg.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/href|url\(|http|<script|@import/);
  });

  test("has a bar for each operation, numbered in order, and marks the culprit", () => {
    expect(bars.map(([, index, role]) => [index, role])).toEqual([
      ["0", "needed"],
      ["1", "context"],
      ["2", "needed"],
      ["3", "culprit"],
    ]);
    expect(bars.map(([bar]) => /font-weight="bold"[^>]*>([^<]*)</.exec(bar)?.[1])).toEqual([
      "1",
      "2",
      "3",
      "✗",
    ]);
    expect(bars[3]?.[0]).toContain("#b71c1c");
  });

  test("leaves the bar of an unknown outcome open", () => {
    expect(bars.map(([bar]) => bar.includes("stroke-dasharray"))).toEqual([false, true, false, false]);
    expect(bars[1]?.[0]).toContain("outcome unknown");
  });

  test("has a lane for each client", () => {
    expect([...svg.matchAll(/>(client \d)</g)].map(([, name]) => name)).toEqual(["client 1", "client 2"]);
  });
});

describe("the report of an illegal part", () => {
  test("can be read", () => {
    const result = checkLinearizability(stale, model);
    expect(linearizabilityReport(result, model).split("\n").slice(0, -2)).toEqual([
      'Not linearizable: no order of these operations on Redis string "k" explains what was seen.',
      "",
      '  client 1  set "a" -> "OK"  [1, 2]   #1',
      '  client 2  set "b"          [3, ...  #2, explains, outcome unknown',
      '  client 1  get -> "b"       [5, 6]   #3',
      '  client 2  get -> "a"       [7, 8]   <- cannot be explained',
      "",
      "1 other operation on it is left out.",
      "Even if each of those that are left out, or only explain, took effect at any time after its call, or never, there would be no order.",
    ]);
  });

  test("tells the other verdicts in a line", () => {
    const legal = checkLinearizability(stale.slice(0, 3), model);
    expect(linearizabilityReport(legal, model)).toMatch(
      /^Linearizable: 3 operations in one order \(.*\)\.\n$/,
    );
    const many = Array.from({ length: 12 }, (_, i) => String(i));
    const undecided = { verdict: "undecided", partitions: many, steps: 1, configurations: 2 } as const;
    expect(linearizabilityReport(undecided, model)).toMatch(
      /^Undecided: .*"0", .*"9" and 2 more \(.*\)\.\n$/,
    );
  });
});

describe("whatever clients wrote", () => {
  const hostile = "</text><script>alert('&\"')</script>\u0000\u001b[2J\u202eabc\ud800\ufffe\n\u2028";

  test.each([hostile, `${"x".repeat(40)}${hostile}`, "😀".repeat(500), "]]>&amp;"])(
    "is safe to show: %j",
    (text) => {
      const history: Op[] = [
        {
          client: text,
          input: { key: text, f: "append", value: text },
          call: 1,
          ret: 2,
          status: "ok",
          output: text,
        },
      ];
      const plain: Model<string | null, RedisStringInput, RedisStringReply> = { ...model, name: text };
      const wild = { ...plain, describe: () => text };
      const undescribed: typeof plain = {
        name: text,
        init: () => plain.init(),
        step: (state, input, output) => plain.step(state, input, output),
        stateKey: (state) => plain.stateKey(state),
      };
      for (const shown of [plain, wild, undescribed]) {
        const result = checkLinearizability(history, shown);
        if (result.verdict !== "illegal") throw new Error(result.verdict);
        const svg = linearizabilityTimeline(result.part, shown);
        checkWellFormed(svg);
        expect(svg.length).toBeLessThan(10_000);
        const report = linearizabilityReport(result, shown);
        expect(report).not.toMatch(/[^\n\P{C}]|\u2028/u);
        expect(report.length).toBeLessThan(2000);
      }
    },
  );

  test("is shown in bounds, however much of it there is: the culprit and what is needed come first", () => {
    const incrs = Array.from({ length: 3000 }, (_, i): Op => {
      return {
        client: i % 2,
        input: { key: "k", f: "incr" },
        call: 2 * i,
        ret: 2 * i + 1,
        status: "ok",
        output: `${i + 1}`,
      };
    });
    const part = partOf([
      ...incrs,
      { client: 9, input: { key: "k", f: "get" }, call: 7000, ret: 7001, status: "ok", output: "2999" },
    ]);
    expect(part.operations.length).toBeGreaterThan(2000);
    const svg = linearizabilityTimeline(part, model);
    checkWellFormed(svg);
    expect(svg.match(/<g /g)).toHaveLength(60);
    expect(svg.length).toBeLessThan(100_000);
    expect(svg).toContain('data-role="culprit"');
    expect(svg).toContain("more operations of this part are not shown");
    for (const { index, role } of part.operations) {
      if (role !== "context") expect(svg).toContain(`data-index="${index}"`);
    }
  });
});
