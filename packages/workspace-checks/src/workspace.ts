import { existsSync, globSync, readFileSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds `pnpm-workspace.yaml`. */
export const WORKSPACE_ROOT: string = fileURLToPath(new URL("../../..", import.meta.url));

/** What the checks read of a `package.json`. */
export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly files?: readonly string[];
  readonly keywords?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, { readonly types?: string; readonly default?: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** One folder of `packages/`. */
export interface WorkspacePackage {
  /** The folder's own name, e.g. `"storage"`. */
  readonly folder: string;
  /** Its absolute path. */
  readonly dir: string;
  readonly manifest: Manifest;
}

/** One source file, read. */
export interface SourceFile {
  /** From the package's folder, with forward slashes, e.g. `"src/engine/role.ts"`. */
  readonly path: string;
  readonly text: string;
}

/** One line of an `exports` map, and the source file it is built from. */
export interface ExportPath {
  /** What a consumer imports, e.g. `"@seshat/common/binary"`. */
  readonly specifier: string;
  /** From the package's folder, e.g. `"src/binary.ts"`. */
  readonly source: string;
}

export function listPackages(root: string = WORKSPACE_ROOT): WorkspacePackage[] {
  return readdirSync(join(root, "packages"))
    .sort()
    .map((folder) => ({ folder, dir: join(root, "packages", folder) }))
    .filter(({ dir }) => existsSync(join(dir, "package.json")))
    .map(({ folder, dir }) => ({ folder, dir, manifest: readManifest(dir) }));
}

/** The packages that are published. */
export function listPublicPackages(root: string = WORKSPACE_ROOT): WorkspacePackage[] {
  return listPackages(root).filter(({ manifest }) => manifest.private !== true);
}

export function readManifest(dir: string): Manifest {
  return JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as Manifest;
}

/** Every TypeScript file of a package that a person wrote. */
export function readSources(dir: string): SourceFile[] {
  return globSync(["src/**/*.ts", "test/**/*.ts", "examples/**/*.ts"], { cwd: dir })
    .map((path) => path.split(sep).join("/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(dir, path), "utf8") }));
}

/** Tests and examples follow looser rules than the code that is shipped. */
export function isTestPath(path: string): boolean {
  return /^(?:test|examples)\//.test(path) || path.endsWith(".test.ts");
}

/** The doors of a package, as its `exports` map states them: `dist/x.js` is built from `src/x.ts`. */
export function exportPaths(manifest: Manifest): ExportPath[] {
  return Object.entries(manifest.exports ?? {})
    .filter(([path]) => path !== "./package.json")
    .map(([path, target]) => {
      const built = /^\.\/dist\/(?<module>.+)\.js$/.exec(target.default ?? "")?.groups?.["module"];
      if (built === undefined) {
        throw new Error(
          `${manifest.name}: exports["${path}"].default is ${String(target.default)}, but it must be ./dist/<module>.js`,
        );
      }
      return { specifier: manifest.name + path.slice(1), source: `src/${built}.ts` };
    });
}
