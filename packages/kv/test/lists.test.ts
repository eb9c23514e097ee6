import { describe, expect, test } from "vitest";
import { Node } from "./node.js";

describe("lists", () => {
  test.each([
    ["LREM l 0 a", 4, "b c b"],
    ["LREM l 2 a", 2, "b c a b a"],
    ["LREM l -2 a", 2, "a b a c b"],
    ["LREM l 9 b", 2, "a a c a a"],
    ["LREM l 1 x", 0, "a b a c a b a"],
    ["LTRIM l 1 -2", "+OK", "b a c a b"],
    ["LTRIM l -3 100", "+OK", "a b a"],
    ["LTRIM l 5 2", "+OK", ""],
    ["LINSERT l BEFORE c x", 8, "a b a x c a b a"],
    ["LINSERT l AFTER b x", 8, "a b x a c a b a"],
    ["LSET l -1 x", "+OK", "a b a c a b x"],
    ["RPOPLPUSH l l", "a", "a a b a c a b"],
    ["LMOVE l l LEFT RIGHT", "a", "b a c a b a a"],
  ])("%s answers %j and leaves %s", (words, reply, left) => {
    const node = new Node();
    node.run("RPUSH l a b a c a b a");
    expect([node.run(words), (node.read("LRANGE l 0 -1") as string[]).join(" ")]).toEqual([reply, left]);
    expect(node.read("EXISTS l")).toBe(left === "" ? 0 : 1);
  });

  test("of many elements are changed at any place", () => {
    const node = new Node();
    let model: string[] = [];
    for (let n = 0; n < 60; n++) {
      const values = Array.from({ length: 20 }, (_, i) => String((n * 20 + i) % 97));
      node.run(["RPUSH", "l", ...values]);
      model.push(...values);
    }
    expect(node.run("LREM l 0 5")).toBe(model.filter((value) => value === "5").length);
    model = model.filter((value) => value !== "5");
    node.run("LTRIM l 100 -100");
    model = model.slice(100, -99);
    expect(node.read("LRANGE l 0 -1")).toEqual(model);
    expect(node.read("LPOS l 17 RANK -2")).toBe(model.lastIndexOf("17", model.lastIndexOf("17") - 1));
    expect(node.run("LPOP l 300")).toEqual(model.slice(0, 300));
    expect([node.read("LLEN l"), node.read("LINDEX l 299")]).toEqual([model.length - 300, model[599]]);
  });
});
