/**
 * Packs every published package and looks at the tarballs as a consumer does: publint, the resolution of
 * types, and a project outside the workspace that installs, typechecks and runs them.
 *
 * Prints one line for each check; exits with 1 when one failed. The packages must be built.
 */
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkInstalled, consumerProject } from "./consumer.ts";
import type { PackedPackage } from "./consumer.ts";
import { LAYERS } from "./rules.ts";
import { runProgram, runTsc } from "./run-program.ts";
import { WORKSPACE_ROOT, listPublicPackages, readManifest } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";

const BIN = join(WORKSPACE_ROOT, "node_modules/.bin");
const results = { passed: 0, failed: 0 };

/** Says how one check went. Its detail is printed only when it failed. */
function report(name: string, passed: boolean, detail: string): boolean {
  results[passed ? "passed" : "failed"] += 1;
  process.stdout.write(passed ? `ok      ${name}\n` : `FAILED  ${name}\n${detail.trimEnd()}\n`);
  return passed;
}

async function run(name: string, cwd: string, command: string, ...args: string[]): Promise<boolean> {
  const { code, output } = await runProgram(command, args, { cwd });
  return report(name, code === 0, output);
}

async function pack(
  { folder, dir, manifest }: WorkspacePackage,
  into: string,
): Promise<PackedPackage | null> {
  const tarball = join(into, `${folder}.tgz`);
  const packed = await run(`${manifest.name}: pnpm pack`, dir, "pnpm", "pack", "--out", tarball);
  if (!packed) return null;
  await Promise.all([
    run(`${manifest.name}: publint`, into, join(BIN, "publint"), "run", tarball, "--strict"),
    run(
      `${manifest.name}: types resolve`,
      into,
      join(BIN, "attw"),
      tarball,
      "--profile",
      "esm-only",
      "--no-definitely-typed",
    ),
  ]);
  return { manifest, tarball, portable: LAYERS[folder]?.portable === true };
}

async function consume(packed: readonly PackedPackage[], dir: string): Promise<void> {
  mkdirSync(dir);
  const files = consumerProject(packed, join(WORKSPACE_ROOT, "node_modules/@types"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  if (!(await run("consumer: npm install", dir, "npm", "install", ...flags))) return;
  for (const { manifest } of packed) {
    const home = join(dir, "node_modules", manifest.name);
    const shipped = globSync("**/*", { cwd: home, exclude: ["node_modules"] });
    const problems = checkInstalled(readManifest(home), shipped);
    report(`${manifest.name}: ships what it needs`, problems.length === 0, problems.join("\n"));
  }
  for (const kind of ["portable", "node"]) {
    const { code, output } = await runTsc(["-p", `tsconfig.${kind}.json`], dir);
    report(`consumer: ${kind} packages typecheck`, code === 0, output);
    await run(`consumer: ${kind} packages run`, dir, process.execPath, `${kind}.ts`);
  }
  for (const bin of packed.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {}))) {
    await run(`consumer: ${bin} --help`, dir, join(dir, "node_modules/.bin", bin), "--help");
  }
}

const scratch = mkdtempSync(join(tmpdir(), "seshat-packages-"));
try {
  const packed = await Promise.all(listPublicPackages().map((pkg) => pack(pkg, scratch)));
  await consume(
    packed.filter((pkg) => pkg !== null),
    join(scratch, "consumer"),
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(`package checks: ${results.passed} passed, ${results.failed} failed\n`);
process.exitCode = results.failed === 0 ? 0 : 1;
