import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { exportPaths, listPackages } from "./packages/workspace-checks/src/workspace.ts";

const packages = listPackages();

// Tests run on the sources: the exports maps say which file stands behind each import.
const alias = packages.flatMap(({ dir, manifest }) =>
  exportPaths(manifest).map(({ specifier, source }) => ({
    find: new RegExp(`^${specifier.replaceAll(/\W/g, String.raw`\$&`)}$`),
    replacement: join(dir, source),
  })),
);

export default defineConfig({
  test: {
    projects: packages.map(({ dir, manifest }) => ({
      root: dir,
      resolve: { alias },
      test: {
        name: manifest.name,
        include: ["{src,test}/**/*.test.ts"],
        // No module here keeps state, so test files can share a worker: the run takes half the time.
        isolate: false,
        // Nothing here depends on the speed of the machine, so a slow one gets its time.
        testTimeout: 120_000,
        hookTimeout: 120_000,
      },
    })),
    reporters: ["default", "json"],
    outputFile: { json: "test-results/vitest.json" },
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "packages/workspace-checks/**"],
      reporter: ["text-summary", "html", "lcov"],
    },
  },
});
