import type { Manifest } from "./workspace.ts";

/** What a published package must have, as it lies on the disk. */
export interface ShapedPackage {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Paths from the package's folder. */
  readonly files: readonly string[];
  /** Whether a changeset that is not released yet names it. */
  readonly hasPendingChangeset: boolean;
}

/** Lists what a published package lacks, one line each. */
export function checkPackageShape({ folder, manifest, files, hasPendingChangeset }: ShapedPackage): string[] {
  const problems: string[] = [];
  const need = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(`packages/${folder} ${problem}`);
  };
  need(files.includes("README.md"), "has no README.md");
  need(/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(manifest.version ?? ""), "has no semantic version");
  need(files.includes("CHANGELOG.md") || hasPendingChangeset, "has neither a CHANGELOG.md nor a changeset");
  need(manifest.license === "MIT", "does not state its licence, MIT");
  need(manifest.type === "module", 'is not "type": "module"');
  need((manifest.description ?? "").length >= 20, "has no description of 20 letters or more");
  need((manifest.keywords ?? []).length > 0, "has no keywords");
  need(manifest.files?.includes("dist") === true, 'does not list "dist" in files');
  need(manifest.exports?.["."] !== undefined, 'does not export "."');
  for (const [path, target] of Object.entries(manifest.exports ?? {})) {
    const source = target.default?.replace(/^\.\/dist\/(.+)\.js$/, "src/$1.ts") ?? "";
    need(
      files.includes(source),
      `exports "${path}" from ${String(target.default)}, which no source is built into`,
    );
    const types = target.default?.replace(/\.js$/, ".d.ts");
    need(
      target.types !== undefined && target.types === types,
      `exports "${path}" without the types beside it`,
    );
    need(Object.keys(target)[0] === "types", `exports "${path}" without putting "types" first`);
  }
  for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
    const exact = range === "workspace:^" || /^\d+\.\d+\.\d+$/.test(range);
    need(exact, `depends on ${name} at ${range}: workspace:^ for a package of ours, else an exact version`);
  }
  return problems;
}
