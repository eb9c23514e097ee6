import { expect, it } from "vitest";
import { splitLine } from "./split-line.js";

it("splits a line as redis-cli does", () => {
  const split = (line: string): string[] | null =>
    splitLine(line)?.map((arg) => Buffer.from(arg).toString("latin1")) ?? null;
  expect(split("  set  a 1 ")).toEqual(["set", "a", "1"]);
  expect(split(String.raw`set "a b" 'c d'`)).toEqual(["set", "a b", "c d"]);
  expect(split(String.raw`"\x00\xff\n\"" 'it\'s \n'`)).toEqual(['\u0000\u00FF\n"', "it's \\n"]);
  expect(split("")).toEqual([]);
  expect(split('""')).toEqual([""]);
  expect(split('"open')).toBeNull();
  expect(split('"a"b')).toBeNull();
});
