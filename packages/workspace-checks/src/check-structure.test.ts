import { describe, expect, test } from "vitest";
import { checkForbiddenImports, checkPureCode, checkSingleWriters, findWrites } from "./check-structure.ts";
import { FORBIDDEN_IMPORTS, PURE_CODE, SINGLE_WRITERS } from "./rules.ts";
import { listPackages, readSources } from "./workspace.ts";
import type { SourceFile } from "./workspace.ts";

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

  // A rule about a file or a field that was renamed since would hold for ever, and guard nothing.
  const sourcesOf = (folder: string): SourceFile[] => {
    const pkg = listPackages().find((candidate) => candidate.folder === folder);
    return pkg === undefined ? [] : readSources(pkg.dir);
  };

  test.each(SINGLE_WRITERS)("$rule, and does write it", ({ folder, writer, field }) => {
    const writes = sourcesOf(folder)
      .filter(({ path }) => writer.test(path))
      .flatMap((source) => findWrites(source));
    expect(writes.some((write) => field.test(write.field))).toBe(true);
  });

  test.each(FORBIDDEN_IMPORTS)("$rule, and there are such files", ({ folder, importer, target }) => {
    const paths = sourcesOf(folder).map(({ path }) => path);
    expect(paths.some((path) => importer.test(path))).toBe(true);
    expect(paths.some((path) => target.test(path))).toBe(true);
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
    ["src/raft.ts", "./runtime/log-lane.js", "only executor.ts imports lanes"],
    ["src/runtime/apply-lane.ts", "../engine/state.js", "never engine state"],
  ])("%s importing %s", (path, specifier, rule) => {
    expect(check(path, specifier)).toEqual([expect.stringContaining(rule)]);
  });

  test.each([
    ["src/engine/engine.ts", "./on-timer.js"],
    ["src/engine/on-timer.ts", "./role.js"],
    ["src/engine/on-timer.test.ts", "./on-append-entries.js"],
    ["src/runtime/executor.ts", "./log-lane.js"],
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
