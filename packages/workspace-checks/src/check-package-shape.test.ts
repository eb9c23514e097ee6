import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkPackageShape } from "./check-package-shape.ts";
import type { ShapedPackage } from "./check-package-shape.ts";
import { WORKSPACE_ROOT, exportPaths, listPublicPackages } from "./workspace.ts";
import type { Manifest } from "./workspace.ts";

describe("the published packages", () => {
  const changesets = globSync(".changeset/*.md", { cwd: WORKSPACE_ROOT }).map((path) =>
    readFileSync(join(WORKSPACE_ROOT, path), "utf8"),
  );

  test.each(listPublicPackages())(
    "packages/$folder has all that a package needs",
    ({ folder, dir, manifest }) => {
      const files = globSync(["*.md", "src/**/*.ts"], { cwd: dir });
      const hasPendingChangeset = changesets.some((text) => text.includes(`"${manifest.name}":`));
      expect(checkPackageShape({ folder, manifest, files, hasPendingChangeset })).toEqual([]);
    },
  );
});

describe("a package that lacks something is found", () => {
  const manifest: Manifest = {
    name: "@seshat/common",
    version: "0.1.0",
    description: "The shared words of Seshat",
    license: "MIT",
    type: "module",
    keywords: ["raft"],
    files: ["dist"],
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
    dependencies: { "@seshat/storage": "workspace:^", commander: "15.1.0" },
  };
  const whole: ShapedPackage = {
    folder: "common",
    manifest,
    files: ["README.md", "CHANGELOG.md", "src/index.ts"],
    hasPendingChangeset: false,
  };
  const door = (target: Record<string, string>): Partial<Manifest> => ({ exports: { ".": target } });

  test("a whole one passes", () => {
    expect(checkPackageShape(whole)).toEqual([]);
  });

  test.each<[string, Partial<Manifest>]>([
    ["no semantic version", { version: "1" }],
    ["licence", { license: "ISC" }],
    ['not "type": "module"', { type: "commonjs" }],
    ["no description", { description: "" }],
    ["no keywords", { keywords: [] }],
    ['"dist"', { files: ["src"] }],
    ["putting", door({ default: "./dist/index.js", types: "./dist/index.d.ts" })],
    ["without the types", door({ types: "./dist/other.d.ts", default: "./dist/index.js" })],
    ["no source", door({ types: "./dist/other.d.ts", default: "./dist/other.js" })],
    ["workspace:^", { dependencies: { commander: "^15.1.0" } }],
    ["workspace:^", { dependencies: { "@seshat/storage": "workspace:*" } }],
  ])("%s", (problem, change) => {
    const problems = checkPackageShape({ ...whole, manifest: { ...manifest, ...change } });
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  test.each(["README.md", "CHANGELOG.md"])("no %s", (file) => {
    const files = whole.files.filter((name) => name !== file);
    expect(checkPackageShape({ ...whole, files })).toEqual([expect.stringContaining(file)]);
  });

  test("a changeset stands in for the changelog of a first release", () => {
    const files = ["README.md", "src/index.ts"];
    expect(checkPackageShape({ ...whole, files, hasPendingChangeset: true })).toEqual([]);
  });

  test("an export that is not built from src is refused by name", () => {
    const odd = { ...manifest, ...door({ default: "./lib/a.js" }) };
    expect(() => exportPaths(odd)).toThrow('@seshat/common: exports["."].default is ./lib/a.js');
  });
});
