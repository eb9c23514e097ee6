import { describe, expect, test } from "vitest";
import { LiveText } from "./live-text.js";

function setUp(columns = 80, rows = 24) {
  const size = { columns, rows };
  const written: string[] = [];
  return {
    live: new LiveText(
      (text) => written.push(text),
      () => size,
    ),
    written,
    size,
  };
}

describe("LiveText", () => {
  test("is drawn below what is there, and then in place of itself", () => {
    const { live, written } = setUp();
    live.draw("one\ntwo\n");
    live.draw("three\n");
    live.draw("four\nfive\n");
    expect(written).toEqual(["one\ntwo\n", "\x1b[2A\r\x1b[Jthree\n", "\x1b[1A\r\x1b[Jfour\nfive\n"]);
  });

  test("is left alone while it stays the same", () => {
    const { live, written } = setUp();
    live.draw("one\n");
    live.draw("one\n");
    expect(written).toHaveLength(1);
  });

  test("never wraps and never scrolls: what does not fit is left out", () => {
    const { live, written, size } = setUp(5, 3);
    live.draw("123456\n1234\nthird\n");
    expect(written[0]).toBe("1234\n1234\n");
    size.rows = 1;
    live.draw("a\nb\n");
    expect(written[1]).toBe("\x1b[2A\r\x1b[Ja\n");
  });
});
