import type { Layer } from "./rules.ts";
import { isNodeModule, packageOf, parse, resolveRelative } from "./syntax.ts";
import type { Syntax } from "./syntax.ts";
import { findGlobals } from "./globals.ts";
import { isTestPath } from "./workspace.ts";
import type { Manifest, SourceFile } from "./workspace.ts";

/** What a layer check needs to know of a package. */
export interface CheckedPackage {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly sources: readonly SourceFile[];
}

/** The tables and names that a check of one package is made against. */
export interface LayerContext {
  readonly layers: Readonly<Record<string, Layer>>;
  readonly nodeGlobals: readonly string[];
  /** Package name to folder, for every package of the workspace. */
  readonly folders: ReadonlyMap<string, string>;
  /** What tests may import without declaring it: the development tools of the root. */
  readonly rootDevDependencies: readonly string[];
}

/** Everything that may be imported from `folder`, by following the arrows. */
export function reachable(layers: Readonly<Record<string, Layer>>, folder: string): Set<string> {
  const found = new Set<string>();
  const queue = [...(layers[folder]?.above ?? [])];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    queue.push(...(layers[next]?.above ?? []));
  }
  return found;
}

/** Lists every breach of the layer rules in one package, one line each. */
export function checkLayers(pkg: CheckedPackage, context: LayerContext): string[] {
  const layer = context.layers[pkg.folder];
  if (layer === undefined) return [`packages/${pkg.folder} has no row in the table of layers`];
  const problems = checkDeclared(pkg, context);
  for (const source of pkg.sources) {
    const syntax = parse(source);
    const at = (line: number): string => `packages/${pkg.folder}/${source.path}:${line}`;
    for (const { specifier, line } of syntax.imports) {
      const problem = checkImport(pkg, layer, context, source.path, specifier);
      if (problem !== null) problems.push(`${at(line)} ${problem}`);
    }
    if (layer.portable === true && !isTestPath(source.path)) {
      problems.push(
        ...checkPortable(syntax, context.nodeGlobals).map(([line, what]) => `${at(line)} ${what}`),
      );
    }
  }
  return problems;
}

function checkPortable(syntax: Syntax, nodeGlobals: readonly string[]): [number, string][] {
  return findGlobals(syntax, nodeGlobals).map(({ name, line }) => [
    line,
    `uses ${name}, which portable packages must not`,
  ]);
}

function checkDeclared(pkg: CheckedPackage, context: LayerContext): string[] {
  const allowed = reachable(context.layers, pkg.folder);
  const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = pkg.manifest;
  return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies })
    .filter((name) => context.folders.has(name) && !allowed.has(context.folders.get(name) ?? ""))
    .map((name) => `packages/${pkg.folder}/package.json depends on ${name}, against the layers`);
}

function checkImport(
  pkg: CheckedPackage,
  layer: Layer,
  context: LayerContext,
  path: string,
  specifier: string,
): string | null {
  const test = isTestPath(path);
  if (specifier.startsWith(".")) {
    const target = resolveRelative(path, specifier);
    if (target.startsWith("..")) return `imports ${specifier}, which lies outside its package`;
    if (target.startsWith("dist/")) return `imports ${specifier}, which is built, not written`;
    if (!test && isTestPath(target)) return `imports ${specifier}, which is a test`;
    return null;
  }
  if (isNodeModule(specifier)) {
    if (!specifier.startsWith("node:")) return `imports ${specifier} without the node: prefix`;
    return layer.portable === true && !test ? `imports ${specifier}, which portable packages must not` : null;
  }
  const name = packageOf(specifier);
  if (name === pkg.manifest.name) return test ? null : `imports its own package by name (${specifier})`;
  const folder = context.folders.get(name);
  if (folder !== undefined && !reachable(context.layers, pkg.folder).has(folder)) {
    return `imports ${specifier}, against the layers`;
  }
  const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = pkg.manifest;
  if (name in dependencies || name in peerDependencies) return null;
  // A private package ships nothing: all it needs are development dependencies.
  const developing = test || pkg.manifest.private === true;
  if (developing && (name in devDependencies || context.rootDevDependencies.includes(name))) return null;
  return `imports ${specifier}, which package.json does not declare`;
}
