import { describe, expect, test } from "vitest";
import { ProgressBar, groupDigits, progressText } from "./progress-bar.js";

function setUp(totalBytes: number | null, columns = 80) {
  const written: string[] = [];
  let time = 0;
  const bar = new ProgressBar(
    (text) => written.push(text),
    () => time,
    totalBytes,
    () => columns,
  );
  return { bar, written, advance: (ms: number): number => (time += ms) };
}

describe("ProgressBar", () => {
  test("is redrawn in place, at most ten times a second", () => {
    const { bar, written, advance } = setUp(1000);
    bar.update({ commands: 1, bytes: 100 });
    for (let i = 0; i < 99; i += 1) {
      advance(1);
      bar.update({ commands: 2, bytes: 200 });
    }
    expect(written).toEqual(["\r\x1b[K[##----------------------] 10%  1 commands, 0/s"]);
    advance(1);
    bar.update({ commands: 2, bytes: 200 });
    expect(written).toHaveLength(2);
  });

  test("is cleared once, and only when it is there", () => {
    const { bar, written } = setUp(1000);
    bar.clear();
    expect(written).toEqual([]);
    bar.update({ commands: 1, bytes: 100 });
    bar.clear();
    bar.clear();
    expect(written.slice(1)).toEqual(["\r\x1b[K"]);
  });

  test("never fills the whole width, where it would wrap", () => {
    const { bar, written } = setUp(1000, 20);
    bar.update({ commands: 1, bytes: 100 });
    expect(written[0]).toBe("\r\x1b[K[##----------------");
  });
});

describe("progressText", () => {
  test("shows the share of bytes, the commands and their rate", () => {
    expect(progressText({ commands: 5000, bytes: 500 }, 1000, 2000)).toBe(
      "[############------------] 50%  5,000 commands, 2,500/s",
    );
  });

  test("never shows more than everything, when a file grew while it was read", () => {
    expect(progressText({ commands: 1, bytes: 2000 }, 1000, 1000)).toBe(
      "[########################]100%  1 commands, 1/s",
    );
  });

  test("shows a count alone when the length is not known", () => {
    expect(progressText({ commands: 5000, bytes: 500 }, null, 0)).toBe("5,000 commands, 0/s");
    expect(progressText({ commands: 0, bytes: 0 }, 0, 0)).toBe("0 commands, 0/s");
  });
});

test("digits stand in groups of three", () => {
  expect([0, 999, 1000, 1_234_567].map(groupDigits)).toEqual(["0", "999", "1,000", "1,234,567"]);
});
