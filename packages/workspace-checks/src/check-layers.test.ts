import { describe, expect, test } from "vitest";
import { checkLayers, reachable } from "./check-layers.ts";
import type { LayerContext } from "./check-layers.ts";
import { LAYERS, NODE_GLOBALS } from "./rules.ts";
import { WORKSPACE_ROOT, listPackages, readManifest, readSources } from "./workspace.ts";
import type { Manifest } from "./workspace.ts";

const packages = listPackages();
const context: LayerContext = {
  layers: LAYERS,
  nodeGlobals: NODE_GLOBALS,
  folders: new Map(packages.map(({ folder, manifest }) => [manifest.name, folder])),
  rootDevDependencies: Object.keys(readManifest(WORKSPACE_ROOT).devDependencies ?? {}),
};

describe("the layers of this workspace", () => {
  test.each(packages)("packages/$folder imports only what its layer may", (pkg) => {
    expect(checkLayers({ ...pkg, sources: readSources(pkg.dir) }, context)).toEqual([]);
  });

  test("the checks depend on every package, so that they run after its build", () => {
    const { devDependencies = {} } = readManifest(`${WORKSPACE_ROOT}/packages/workspace-checks`);
    const names = packages.map(({ manifest }) => manifest.name);
    expect(names.filter((name) => !name.endsWith("/workspace-checks") && !(name in devDependencies))).toEqual(
      [],
    );
  });

  test("the arrows have no cycle", () => {
    for (const folder of Object.keys(LAYERS)) expect([...reachable(LAYERS, folder)]).not.toContain(folder);
  });

  test("every arrow starts at a package of the table", () => {
    const named = Object.values(LAYERS).flatMap(({ above }) => above);
    expect(named.filter((folder) => !(folder in LAYERS))).toEqual([]);
  });

  test("following the arrows from raft reaches storage and common, and nothing below", () => {
    expect([...reachable(LAYERS, "raft")].sort()).toEqual(["common", "storage"]);
  });
});

describe("a planted breach of the layers is found", () => {
  const check = (
    folder: string,
    text: string,
    path = "src/a.ts",
    manifest: Partial<Manifest> = {},
  ): string[] =>
    checkLayers(
      { folder, manifest: { name: `@seshat/${folder}`, ...manifest }, sources: [{ path, text }] },
      context,
    );

  test.each([
    ["an arrow pointing back", "storage", 'import { Raft } from "@seshat/raft";', "against the layers"],
    [
      "an arrow pointing back through a subpath",
      "common",
      'export * from "@seshat/storage/x";',
      "against the layers",
    ],
    ["a type-only import", "common", 'import type { A } from "@seshat/raft";', "against the layers"],
    ["an import type in a type", "common", 'export type A = import("@seshat/raft").B;', "against the layers"],
    ["a dynamic import", "common", 'await import("@seshat/raft");', "against the layers"],
    ["a package that is not declared", "storage", 'import "left-pad";', "does not declare"],
    ["an arrow allowed but not declared", "storage", 'import "@seshat/common";', "does not declare"],
    ["a Node module in a portable package", "raft", 'import { readFile } from "node:fs";', "portable"],
    ["a Node module without its prefix", "integration", 'import { readFile } from "fs";', "node: prefix"],
    ["Buffer in a portable package", "common", "export const a = Buffer.from([1]);", "uses Buffer"],
    ["Buffer behind globalThis", "common", "export const a = globalThis.Buffer;", "uses Buffer"],
    ["Buffer as a type", "common", "export type A = Buffer;", "uses Buffer"],
    ["process in a portable package", "storage", "export const a = process.env;", "uses process"],
    ["another package's files", "integration", 'import "../../raft/src/a.js";', "outside its package"],
    ["built files", "integration", 'import "../dist/a.js";', "built"],
    ["a test imported by shipped code", "integration", 'import "./a.test.js";', "is a test"],
    ["a package without a row", "surprise", "", "no row"],
  ])("%s", (_name, folder, text, problem) => {
    expect(check(folder, text)).toEqual([expect.stringContaining(problem)]);
  });

  test("a dependency against the layers, though nothing imports it", () => {
    const manifest = { dependencies: { "@seshat/raft": "workspace:^" } };
    expect(check("common", "", "src/a.ts", manifest)).toEqual([
      expect.stringContaining("depends on @seshat/raft"),
    ]);
  });

  test("a development dependency used by shipped code", () => {
    expect(check("integration", 'import "fast-check";')).toEqual([
      expect.stringContaining("does not declare"),
    ]);
  });

  test("the line is the one of the import", () => {
    expect(check("common", '\n\nimport "left-pad";')[0]).toMatch(/^packages\/common\/src\/a\.ts:3 /);
  });
});

describe("what the layers allow is not reported", () => {
  test.each([
    ["a field called process", "src/a.ts", "export const a = { process: 1 }.process;"],
    ["Node modules in tests", "src/a.test.ts", 'import "node:fs"; import "vitest"; Buffer.alloc(1);'],
    ["a package by its own name in tests", "test/a.test.ts", 'import "@seshat/raft";'],
    ["a declared arrow", "src/a.ts", 'import "@seshat/common/binary";'],
    ["Buffer in a comment or a string", "src/a.ts", '// Buffer\nexport const a = "Buffer";'],
  ])("%s", (_name, path, text) => {
    const manifest = { name: "@seshat/raft", dependencies: { "@seshat/common": "workspace:^" } };
    expect(checkLayers({ folder: "raft", manifest, sources: [{ path, text }] }, context)).toEqual([]);
  });
});
