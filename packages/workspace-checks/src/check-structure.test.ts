import { describe, expect, test } from "vitest";
import { checkForbiddenImports, checkPureCode, checkSingleWriters } from "./check-structure.ts";
import { FORBIDDEN_IMPORTS, PURE_CODE, SINGLE_WRITERS } from "./rules.ts";
import { listPackages, readSources } from "./workspace.ts";

describe("the structure inside the packages", () => {
  test.each(listPackages())("packages/$folder keeps to its inner import rules", ({ folder, dir }) => {
    expect(checkForbiddenImports(folder, readSources(dir), FORBIDDEN_IMPORTS)).toEqual([]);
  });

  test.each(listPackages())(
    "packages/$folder writes its guarded fields in one place each",
    ({ folder, dir }) => {
      expect(checkSingleWriters(folder, readSources(dir), SINGLE_WRITERS)).toEqual([]);
    },
  );

  test.each(listPackages())("packages/$folder keeps its pure code pure", ({ folder, dir }) => {
    expect(checkPureCode(folder, readSources(dir), PURE_CODE)).toEqual([]);
  });

  test("the raft package has an engine that the rules apply to", () => {
    const raft = listPackages().find(({ folder }) => folder === "raft");
    const paths = readSources(raft?.dir ?? "").map(({ path }) => path);
    for (const { writer, rule } of SINGLE_WRITERS) {
      expect(
        paths.some((path) => writer.test(path)),
        `${rule}, but that file is missing`,
      ).toBe(true);
    }
  });
});

describe("a planted import inside the raft package is found", () => {
  const check = (path: string, specifier: string): string[] =>
    checkForbiddenImports("raft", [{ path, text: `import { a } from "${specifier}";` }], FORBIDDEN_IMPORTS);

  test.each([
    ["src/engine/engine.ts", "../runtime/runtime.js", "imports nothing from runtime"],
    ["src/engine/commit.ts", "../network/raft-network.js", "imports nothing from runtime"],
    ["src/engine/on-timer.ts", "./on-append-entries.js", "never import each other"],
    ["src/engine/election.ts", "./on-timer.js", "only engine.ts imports handlers"],
    ["src/raft.ts", "./runtime/log-lane.js", "only runtime.ts imports lanes"],
    ["src/runtime/apply-lane.ts", "../engine/state.js", "never engine state"],
  ])("%s importing %s", (path, specifier, rule) => {
    expect(check(path, specifier)).toEqual([expect.stringContaining(rule)]);
  });

  test.each([
    ["src/engine/engine.ts", "./on-timer.js"],
    ["src/engine/on-timer.ts", "./role.js"],
    ["src/engine/on-timer.test.ts", "./on-append-entries.js"],
    ["src/runtime/runtime.ts", "./log-lane.js"],
    ["src/runtime/log-lane.ts", "../engine/event.js"],
  ])("but %s may import %s", (path, specifier) => {
    expect(check(path, specifier)).toEqual([]);
  });
});

describe("a planted second writer is found", () => {
  const check = (text: string, path = "src/engine/election.ts"): string[] =>
    checkSingleWriters("raft", [{ path, text }], SINGLE_WRITERS);

  test.each([
    "state.role = leader;",
    "this.state.role = leader;",
    'state["role"] = leader;',
    "state!.vote = vote;",
    "const s = state; s.vote = vote;",
    "state.vote ??= vote;",
    "delete state.vote;",
    "state.commitIndex++;",
    "--state.committed;",
    "state.committedLogId = id;",
    "progress.matchIndex = Math.max(progress.matchIndex, 1);",
    "[peer.nextIndex] = [1];",
    "({ vote: state.vote } = next);",
    "({ vote: state.vote = zero } = next);",
    "for (state.role of roles) {}",
    "Object.assign(state, { role });",
  ])("%s", (text) => {
    expect(check(text)).toHaveLength(1);
  });

  test("each rule names the file that may write", () => {
    expect(check("state.role = leader;")).toEqual([
      "packages/raft/src/engine/election.ts:1 writes state.role: role.ts is the only writer of the role",
    ]);
  });

  test.each([
    ["src/engine/role.ts", "state.role = leader;"],
    ["src/engine/vote-rule.ts", "state.vote = vote;"],
    ["src/engine/commit.ts", "state.committed = id;"],
    ["src/engine/progress.ts", "progress.matchIndex = 1; progress.nextIndex += 1;"],
    ["src/engine/election.ts", "const message = { vote: state.vote, role: state.role };"],
    ["src/engine/election.ts", "const { vote, role } = state;"],
    ["src/engine/election.test.ts", "state.role = leader;"],
    ["src/runtime/metrics.ts", "metrics.role = state.role;"],
  ])("but %s may say %s", (path, text) => {
    expect(check(text, path)).toEqual([]);
  });
});

describe("planted impurity in the engine is found", () => {
  const check = (text: string): string[] =>
    checkPureCode("raft", [{ path: "src/engine/on-timer.ts", text }], PURE_CODE);

  test.each([
    "const now = Date.now();",
    "const now = performance.now();",
    "const r = Math.random();",
    "setTimeout(step, 1);",
    "async function step(): Promise<void> {}",
    "const step = async () => {};",
    "for await (const a of b) {}\nexport {};",
  ])("%s", (text) => {
    expect(check(text)).not.toEqual([]);
  });

  test.each(["const r = Math.max(1, 2);", "const deadline = event.now + 1;", "const a = { async: true };"])(
    "but it may say %s",
    (text) => {
      expect(check(text)).toEqual([]);
    },
  );
});
