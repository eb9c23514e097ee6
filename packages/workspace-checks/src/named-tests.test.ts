import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findMissingTests, findNamedTests } from "./named-tests.js";
import { WORKSPACE_ROOT } from "./workspace.js";

/** Documents that say which test shows what. */
const DOCUMENTS = ["README.md", "docs/implementing.md"];

const sources = new Map(
  globSync("packages/*/{src,test}/**/*.test.ts", { cwd: WORKSPACE_ROOT }).map((path) => [
    path,
    readFileSync(join(WORKSPACE_ROOT, path), "utf8"),
  ]),
);

describe("documents that name tests", () => {
  test.each(DOCUMENTS)("%s names only tests that are there", (document) => {
    const named = findNamedTests(readFileSync(join(WORKSPACE_ROOT, document), "utf8"));
    expect(named.length).toBeGreaterThan(0);
    expect(findMissingTests(named, sources)).toEqual([]);
  });

  test("a file that is not there is found out, and so is a test that is called otherwise", () => {
    const named = findNamedTests(
      "| rule | `a.test.ts`: does this |\n| rule | `b.test.ts`, `a.test.ts`: does that |",
    );
    expect(named).toEqual([
      { file: "a.test.ts", title: "does this", line: 1 },
      { file: "b.test.ts", title: null, line: 2 },
      { file: "a.test.ts", title: "does that", line: 2 },
    ]);
    const there = new Map([["packages/x/src/a.test.ts", 'test("does this, and more", () => {})']]);
    expect(findMissingTests(named, there)).toEqual(named.slice(1));
  });
});
