import { join } from "node:path";
import type { ExportPath, Manifest } from "./workspace.ts";
import { exportPaths } from "./workspace.ts";

/** A packed package, as its consumer gets it. */
export interface PackedPackage {
  readonly manifest: Manifest;
  /** The absolute path of the tarball. */
  readonly tarball: string;
  /** Runs without Node: its types must not need Node's. */
  readonly portable: boolean;
}

/** The files of a project that consumes packed packages, by name. */
export type ProjectFiles = Readonly<Record<string, string>>;

/**
 * Writes a project outside the workspace that installs the tarballs, imports every door of every package,
 * and checks the types with the libraries' own declarations included.
 *
 * @param typeRoots where `@types/node` lies, for the packages that need Node.
 */
export function consumerProject(packed: readonly PackedPackage[], typeRoots: string): ProjectFiles {
  const dependencies = Object.fromEntries(
    packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]),
  );
  // A tarball asks for its sisters by version, and those are not on any registry yet.
  const overrides = Object.fromEntries(packed.map(({ manifest }) => [manifest.name, `$${manifest.name}`]));
  const doors = (portable: boolean): ExportPath[] =>
    packed.filter((pkg) => pkg.portable === portable).flatMap(({ manifest }) => exportPaths(manifest));
  return {
    "package.json": json({ name: "consumer", private: true, type: "module", dependencies, overrides }),
    "tsconfig.node.json": tsconfig("node.ts", { types: ["node"], typeRoots: [typeRoots] }),
    "tsconfig.portable.json": tsconfig("portable.ts", { types: [] }),
    "node.ts": importAll(doors(false)),
    "portable.ts": importAll(doors(true)),
  };
}

function tsconfig(file: string, options: object): string {
  return json({
    compilerOptions: {
      target: "es2024",
      lib: ["es2024", "esnext.disposable", "dom"],
      module: "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      ...options,
    },
    files: [file],
  });
}

function importAll(doors: readonly ExportPath[]): string {
  return [
    ...doors.map(({ specifier }, index) => `import * as door${index} from "${specifier}";`),
    "",
    "const doors: Record<string, object> = {",
    ...doors.map(({ specifier }, index) => `  "${specifier}": door${index},`),
    "};",
    "for (const [specifier, door] of Object.entries(doors)) {",
    "  if (Object.keys(door).length === 0) throw new Error(`${specifier} exports nothing`);",
    "}",
    "",
  ].join("\n");
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Lists what is wrong with a package as it was installed. */
export function checkInstalled(manifest: Manifest, files: readonly string[]): string[] {
  const problems: string[] = [];
  const need = (file: string, why: string): void => {
    if (!files.includes(file)) problems.push(`${manifest.name} ships no ${file} (${why})`);
  };
  need("LICENSE", "every package carries its licence");
  need("README.md", "every package carries its README");
  for (const [path, target] of Object.entries(manifest.exports ?? {})) {
    for (const file of [target.default, target.types])
      if (file !== undefined) need(join(file), `exports "${path}"`);
  }
  for (const [name, file] of Object.entries(manifest.bin ?? {})) need(join(file), `bin "${name}"`);
  for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
    if (range.startsWith("workspace:")) problems.push(`${manifest.name} asks for ${name} at ${range}`);
  }
  const odd = files.filter((file) => /\.test\.|\.tsbuildinfo$|^(?:src|test)\//.test(file));
  if (odd.length > 0) problems.push(`${manifest.name} ships ${odd.join(", ")}`);
  return problems;
}
