import { describe, expect, test } from "vitest";
import { bytes } from "../../test/support/bytes.js";
import { statusWith } from "../../test/support/fake-target.js";
import type { CommandResult } from "./command-result.js";
import { formatResult } from "./command-result.js";
import { statusTable } from "./status-table.js";

const ANY_BYTES: CommandResult = { type: "bytes", value: bytes('a\n"\0\xff') };

describe("formatResult", () => {
  test.each<[CommandResult, string]>([
    [{ type: "ok" }, "OK\n"],
    [{ type: "integer", value: 12 }, "(integer) 12\n"],
    [{ type: "nil" }, "(nil)\n"],
    [ANY_BYTES, '"a\\n\\"\\x00\\xff"\n'],
    [{ type: "bytes", value: bytes("(nil)") }, '"(nil)"\n'],
    [{ type: "text", text: "two\nlines" }, "two\nlines\n"],
  ])("%j is written as redis-cli shows it on a terminal", (result, written) => {
    expect(formatResult(result, "quoted")).toBe(written);
    expect(formatResult(result, "terminal")).toBe(written);
  });

  test.each<[CommandResult, string | Uint8Array]>([
    [{ type: "ok" }, "OK\n"],
    [{ type: "integer", value: 12 }, "12\n"],
    [{ type: "nil" }, "\n"],
    [ANY_BYTES, bytes('a\n"\0\xff\n')],
  ])("raw, %j is written as redis-cli writes it to a pipe", (result, written) => {
    expect(formatResult(result, "raw")).toEqual(written);
  });

  const status = statusWith({ lastApplied: { term: 3, index: 40 }, keys: 5, snapshotsTaken: 4 });

  test("a status is one line of JSON, for programs", () => {
    const line = formatResult({ type: "status", status }, "quoted") as string;
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual(status);
    expect(formatResult({ type: "status", status }, "raw")).toBe(line);
  });

  test("on a terminal a status is a table, for people", () => {
    expect(formatResult({ type: "status", status }, "terminal")).toBe(statusTable(status));
  });
});
