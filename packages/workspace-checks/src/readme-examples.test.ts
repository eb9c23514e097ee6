import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findExamples } from "./readme-examples.ts";
import { runProgram, runTsc } from "./run-program.ts";
import type { Finished } from "./run-program.ts";
import { WORKSPACE_ROOT, listPackages } from "./workspace.ts";

/** One example, written to a file from which imports resolve as they do for the reader. */
interface WrittenExample {
  readonly at: string;
  readonly file: string;
  readonly dir: string;
}

const dirs: string[] = [];

// A package's examples go inside it, so that its own name and its dependencies resolve, and nothing more.
// The examples of the workspace may use every package, and so do these checks.
function writeExamples(
  readme: string,
  home: string,
): { written: WrittenExample[]; problems: readonly string[] } {
  const name = relative(WORKSPACE_ROOT, readme);
  const { runnable, problems } = findExamples(name, readFileSync(readme, "utf8"));
  if (runnable.length === 0) return { written: [], problems };
  const dir = mkdtempSync(join(home, ".readme-examples-"));
  dirs.push(dir);
  const written = runnable.map(({ at, code }) => {
    const file = join(dir, `line-${at.slice(at.lastIndexOf(":") + 1)}.ts`);
    writeFileSync(file, code);
    return { at, file, dir };
  });
  return { written, problems };
}

const readmes = [
  { readme: join(WORKSPACE_ROOT, "README.md"), home: join(WORKSPACE_ROOT, "packages/workspace-checks") },
  ...listPackages().map(({ dir }) => ({ readme: join(dir, "README.md"), home: dir })),
].filter(({ readme }) => existsSync(readme));
const found = readmes.map(({ readme, home }) => writeExamples(readme, home));
const examples = found.flatMap(({ written }) => written);

// Examples see the packages as their users do: built. This costs nothing when the build is fresh.
let build: Finished;
beforeAll(async () => {
  const projects = listPackages().map(({ dir }) => join(dir, "tsconfig.build.json"));
  build = await runTsc(["-b", ...projects.filter((path) => existsSync(path)), "--pretty", "false"]);
}, 60_000);

afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

describe("the examples in the READMEs", () => {
  test("every block of code is marked so that it runs here", () => {
    expect(found.flatMap(({ problems }) => problems)).toEqual([]);
  });

  test("the packages they use build", () => {
    expect(build.output).toBe("");
  });

  test("every example typechecks", async () => {
    const dir = mkdtempSync(join(WORKSPACE_ROOT, "packages/workspace-checks/.readme-examples-"));
    dirs.push(dir);
    const config = {
      extends: "../../../tsconfig.base.json",
      compilerOptions: { noEmit: true, types: ["node"], noUnusedLocals: false },
      files: examples.map(({ file }) => relative(dir, file)),
    };
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
    if (examples.length === 0) return;
    const { code, output } = await runTsc(["-p", dir, "--pretty", "false"]);
    expect({ code, output }).toEqual({ code: 0, output: "" });
  }, 60_000);

  test.each(examples)(
    "$at runs",
    async ({ file, dir }) => {
      const { code, output } = await runProgram(process.execPath, [basename(file)], {
        cwd: dir,
        timeoutMs: 30_000,
      });
      expect(code, output).toBe(0);
    },
    60_000,
  );
});

describe("finding examples", () => {
  test("a ts block is taken as it stands, with the line it begins at", () => {
    expect(findExamples("a.md", "# A\n\n```ts\nconst a = 1;\n\n```\ntext\n")).toEqual({
      runnable: [{ at: "a.md:3", code: "const a = 1;\n\n" }],
      problems: [],
    });
  });

  test.each(["typescript", "js", "ts no-run", "javascript", "mts", "TS"])(
    "a block marked %s is refused",
    (info) => {
      const { runnable, problems } = findExamples("a.md", `\`\`\`${info}\n1;\n\`\`\`\n`);
      expect(runnable).toEqual([]);
      expect(problems).toEqual([expect.stringContaining(`a.md:1 is marked "${info}"`)]);
    },
  );

  test.each(["sh", "", "text", "json", "tsv"])("a block marked %j is not code to run", (info) => {
    expect(findExamples("a.md", `\`\`\`${info}\n1\n\`\`\`\n`)).toEqual({ runnable: [], problems: [] });
  });

  test("a longer fence holds a shorter one", () => {
    const { runnable } = findExamples("a.md", "````ts\nconst a = `\n```\n`;\n````\n");
    expect(runnable.map(({ code }) => code)).toEqual(["const a = `\n```\n`;\n"]);
  });

  test("a block that is never closed is refused", () => {
    expect(findExamples("a.md", "\n```ts\n1;\n").problems).toEqual([
      "a.md:2 opens a block that is never closed",
    ]);
  });
});
