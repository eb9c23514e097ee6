import { describe, expect, test } from "vitest";
import { COMMANDS } from "./command.js";
import type { ProgramOptions } from "./program-options.js";
import { parseArguments } from "./program-options.js";

const DEFAULTS: ProgramOptions = {
  files: [],
  nodes: 1,
  timeoutMs: 10_000,
  snapshotPolicy: { type: "logsSinceLast", entries: 5000 },
  keep: 1000,
  raw: false,
  quiet: false,
  logLevel: "warn",
};

describe("parseArguments", () => {
  test("without arguments everything has its default", () => {
    expect(parseArguments([], "1.2.3")).toEqual({ type: "run", options: DEFAULTS });
  });

  test("every option is understood, and files keep their order", () => {
    const args =
      "-f a --file - -f b --nodes 3 --timeout-ms 250 --snapshot-every 10 --keep 0 --raw -q --log-level debug";
    expect(parseArguments(args.split(" "), "1.2.3")).toEqual({
      type: "run",
      options: {
        files: ["a", "-", "b"],
        nodes: 3,
        timeoutMs: 250,
        snapshotPolicy: { type: "logsSinceLast", entries: 10 },
        keep: 0,
        raw: true,
        quiet: true,
        logLevel: "debug",
      },
    });
  });

  test("one command line does not change the next", () => {
    parseArguments(["-f", "a"], "1.2.3");
    expect(parseArguments(["-f", "b"], "1.2.3")).toMatchObject({ options: { files: ["b"] } });
    expect(parseArguments([], "1.2.3")).toEqual({ type: "run", options: DEFAULTS });
  });

  test("with several nodes snapshots are taken as with one", () => {
    expect(parseArguments(["--nodes", "2"], "1.2.3")).toEqual({
      type: "run",
      options: { ...DEFAULTS, nodes: 2 },
    });
  });

  test("snapshots can be turned off", () => {
    expect(parseArguments(["--snapshot-every", "never"], "1.2.3")).toMatchObject({
      options: { snapshotPolicy: { type: "never" } },
    });
  });

  test.each([
    ["--snapshot-every 0", 'at least 1, or "never"'],
    ["--snapshot-every 1e3", 'at least 1, or "never"'],
    ["--snapshot-every soon", 'at least 1, or "never"'],
    ["--nodes 0", "from 1 to 9"],
    ["--nodes 10", "from 1 to 9"],
    ["-n three", "from 1 to 9"],
    ["--timeout-ms 0", "from 1 to 2147483647"],
    ["--timeout-ms 2147483648", "from 1 to 2147483647"],
    ["--timeout-ms 1.5", "from 1 to 2147483647"],
    ["--keep -1", "at least 0"],
    ["--keep 9007199254740992", "at least 0"],
    ["--log-level loud", "Allowed choices are off, error, warn, info, debug, trace"],
    ["-f - -f -", "only once"],
    ["--file", "argument missing"],
    ["--fiel x", "Did you mean --file?"],
    ["load.txt", "too many arguments"],
  ])("%s is wrong usage, and the error says why", (args, problem) => {
    const parsed = parseArguments(args.split(" "), "1.2.3");
    expect(parsed).toMatchObject({ type: "say", exitCode: 2, stdout: "" });
    expect(parsed.type === "say" && parsed.stderr).toContain(problem);
    expect(parsed.type === "say" && parsed.stderr).toContain("--help explains");
  });

  test("--version prints the version", () => {
    expect(parseArguments(["--version"], "1.2.3")).toEqual({
      type: "say",
      exitCode: 0,
      stdout: "1.2.3\n",
      stderr: "",
    });
  });

  test("--help names every option and command, defaults and exit codes, and fits a terminal of 120 columns", () => {
    const parsed = parseArguments(["--help"], "1.2.3");
    const help = parsed.type === "say" ? parsed.stdout : "";
    expect(parsed).toMatchObject({ exitCode: 0, stderr: "" });
    for (const word of [
      "--file",
      "--nodes",
      "--timeout-ms",
      "--snapshot-every",
      "--keep",
      "--raw",
      "--quiet",
      "--log-level",
      "--version",
      "5000",
      "1000",
      "--watch",
      "141",
    ]) {
      expect(help).toContain(word);
    }
    for (const { name } of COMMANDS) {
      if (name !== "EXIT") expect(help).toContain(name);
    }
    expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  });
});
