import { describe, expect, test } from "vitest";
import { styleFor } from "./style.js";

describe("styleFor", () => {
  test("a terminal gets colours", () => {
    expect(styleFor(true, {}).error("x")).toBe("\x1b[31mx\x1b[39m");
    expect(styleFor(true, { NO_COLOR: "" }).strong("x")).toBe("\x1b[1mx\x1b[22m");
    expect(styleFor(true, { TERM: "xterm" }).faint("x")).toContain("\x1b[2m");
  });

  test.each([
    ["something that is no terminal", false, {}],
    ["a user who wants none", true, { NO_COLOR: "1" }],
    ["a terminal that cannot show them", true, { TERM: "dumb" }],
  ])("%s gets none", (_, isTerminal, env) => {
    const style = styleFor(isTerminal, env);
    expect([style.error("x"), style.strong("x"), style.faint("x")]).toEqual(["x", "x", "x"]);
  });
});
