import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { oldNode } from "./node-release.js";

test.each(["22.18.0", "22.19.1", "24.0.0", "100.1.0"])("Node %s is new enough", (version) => {
  expect(oldNode("seshat", version)).toBeNull();
});

test.each(["22.17.9", "22.9.0", "21.99.0", "20.20.2", "8.0.0"])("Node %s is too old", (version) => {
  expect(oldNode("seshat", version)).toBe(`seshat needs Node 22.18 or later, and this is Node ${version}`);
});

test("says what package.json says", () => {
  const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    engines: { node: string };
  };
  expect(oldNode("x", "0.0.0")).toContain(`Node ${engines.node.replace(">=", "")} or later`);
});
