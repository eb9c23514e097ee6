import { existsSync } from "node:fs";
import { join } from "node:path";
import type { KnipConfig } from "knip";
import { exportPaths, listPackages } from "./packages/workspace-checks/src/workspace.ts";

// Modules that a package starts as processes, or loads before them, by their paths.
const STARTED_BY_PATH: Readonly<Record<string, readonly string[]>> = {
  bench: ["src/benches/*-child.ts", "src/compare/resolve-checkout.ts"],
  chaos: ["src/preload/*.ts", "src/plants/*.ts"],
  crash: ["src/node/crash-node.ts"],
  server: ["test/key-value-node.ts"],
};

// What a package exports is used by its users; what nobody exports must be used inside.
const workspaces = Object.fromEntries(
  listPackages().map(({ folder, dir, manifest }) => [
    `packages/${folder}`,
    {
      entry: [
        ...exportPaths(manifest).map(({ source }) => source),
        ...Object.values(manifest.bin ?? {}).map((path) =>
          path.replace(/^(?:\.\/)?dist\/(.+)\.js$/, "src/$1.ts"),
        ),
        ...(existsSync(join(dir, "examples")) ? ["examples/**/*.ts"] : []),
        ...(STARTED_BY_PATH[folder] ?? []),
      ],
      project: ["{src,test,examples}/**/*.ts"],
      // What a generator writes has more than is used.
      ...(existsSync(join(dir, "src/generated")) ? { ignore: ["src/generated/**"] } : {}),
      // The checks depend on every package in order to run after its build.
      ...(folder === "workspace-checks" ? { ignoreDependencies: ["@seshat/.+", "seshat"] } : {}),
    },
  ]),
);

const config: KnipConfig = {
  workspaces: { ".": { entry: ["*.config.ts"], project: ["*.ts"] }, ...workspaces },
  // check-packages.ts runs these by their paths.
  ignoreDependencies: ["@arethetypeswrong/cli", "publint"],
  // Certificates of tests are made with openssl; it comes with every system that tests run on. Tests beside Redis say so where it is missing.
  ignoreBinaries: ["openssl", "redis-server", "redis-benchmark", "etcd", "strace", "mount", "umount"],
  // The types of an exported function are part of it, imported or not.
  ignoreExportsUsedInFile: { interface: true, type: true },
  treatConfigHintsAsErrors: true,
};

export default config;
