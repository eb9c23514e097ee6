import { describe, expect, test } from "vitest";
import { checkInstalled, consumerProject } from "./consumer.ts";
import type { Manifest } from "./workspace.ts";

const common: Manifest = {
  name: "@seshat/common",
  exports: {
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./binary": { types: "./dist/binary.d.ts", default: "./dist/binary.js" },
  },
};
const integration: Manifest = {
  name: "@seshat/integration",
  bin: { "seshat-single": "./dist/bin/seshat-single.js" },
  exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
  dependencies: { "@seshat/common": "^0.1.0" },
};

describe("the consuming project", () => {
  const files = consumerProject(
    [
      { manifest: common, tarball: "/t/common.tgz", portable: true },
      { manifest: integration, tarball: "/t/integration.tgz", portable: false },
    ],
    "/types",
  );

  test("takes every package, and every package's sisters, from the tarballs", () => {
    expect(JSON.parse(files["package.json"] ?? "")).toMatchObject({
      dependencies: {
        "@seshat/common": "file:/t/common.tgz",
        "@seshat/integration": "file:/t/integration.tgz",
      },
      overrides: { "@seshat/common": "$@seshat/common", "@seshat/integration": "$@seshat/integration" },
    });
  });

  test("imports every export path, portable packages apart from the others", () => {
    expect(files["portable.ts"]).toContain('from "@seshat/common";');
    expect(files["portable.ts"]).toContain('from "@seshat/common/binary";');
    expect(files["portable.ts"]).not.toContain("integration");
    expect(files["node.ts"]).toContain('from "@seshat/integration";');
  });

  test("gives portable packages no types of Node, and checks declarations too", () => {
    const { compilerOptions } = JSON.parse(files["tsconfig.portable.json"] ?? "") as {
      compilerOptions: object;
    };
    expect(compilerOptions).toMatchObject({ types: [], skipLibCheck: false });
  });
});

describe("an installed package", () => {
  const whole = ["LICENSE", "README.md", "package.json", "dist/index.js", "dist/index.d.ts"];
  const installed = [...whole, "dist/bin/seshat-single.js"];

  test("with all that it needs passes", () => {
    expect(checkInstalled(integration, installed)).toEqual([]);
  });

  test.each(["LICENSE", "README.md", "dist/index.js", "dist/index.d.ts", "dist/bin/seshat-single.js"])(
    "without %s is found",
    (file) => {
      const files = installed.filter((name) => name !== file);
      expect(checkInstalled(integration, files)).toEqual([expect.stringContaining(`ships no ${file}`)]);
    },
  );

  test.each(["dist/a.test.js", "src/index.ts", "build.tsbuildinfo"])("that ships %s is found", (file) => {
    expect(checkInstalled(integration, [...installed, file])).toEqual([
      expect.stringContaining(`ships ${file}`),
    ]);
  });

  test("that asks for a workspace range is found", () => {
    const manifest = { ...integration, dependencies: { "@seshat/common": "workspace:^" } };
    expect(checkInstalled(manifest, installed)).toEqual([expect.stringContaining("workspace:^")]);
  });
});
