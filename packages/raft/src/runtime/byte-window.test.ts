import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWindow } from "./byte-window.js";

describe("a window of bytes", () => {
  test("lets in what fits at once, and the rest in its order when there is room", () => {
    const window = new ByteWindow(10);
    const started: string[] = [];
    for (const [name, bytes] of [
      ["a", 6],
      ["b", 4],
      ["c", 3],
      ["d", 1],
    ] as const)
      window.enter(bytes, () => started.push(name));
    expect(started).toEqual(["a", "b"]);
    expect(window.used).toBe(10);
    window.leave(4);
    expect(started).toEqual(["a", "b", "c", "d"]);
    expect(window.used).toBe(10);
  });

  test("small things do not overtake a large one that waits", () => {
    const window = new ByteWindow(10);
    const started: string[] = [];
    window.enter(5, () => started.push("a"));
    window.enter(8, () => started.push("large"));
    window.enter(1, () => started.push("small"));
    expect(started).toEqual(["a"]);
    window.leave(5);
    expect(started).toEqual(["a", "large", "small"]);
  });

  test("what is larger than the whole of it goes alone", () => {
    const window = new ByteWindow(10);
    const started: string[] = [];
    window.enter(1, () => started.push("a"));
    window.enter(50, () => started.push("huge"));
    window.enter(1, () => started.push("b"));
    expect(started).toEqual(["a"]);
    window.leave(1);
    expect(started).toEqual(["a", "huge"]);
    window.leave(50);
    expect(started).toEqual(["a", "huge", "b"]);
  });

  test("what leaves as soon as it is let in makes room for the next", () => {
    const window = new ByteWindow(10);
    const started: number[] = [];
    window.enter(10, () => started.push(0));
    for (let i = 1; i <= 2000; i++) {
      window.enter(10, () => {
        started.push(i);
        window.leave(10);
      });
    }
    window.leave(10);
    expect(started).toEqual(Array.from({ length: 2001 }, (_, i) => i));
    expect(window.used).toBe(0);
  });

  test("keeps order, never exceeds its bound but for one alone, and counts back to zero (property)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 15 }), fc.constant("leave" as const)), { maxLength: 60 }),
        (operations) => {
          const window = new ByteWindow(10);
          const inside: number[] = [];
          const order: number[] = [];
          let entered = 0;
          const leaveOne = (): void => {
            const bytes = inside.shift();
            if (bytes !== undefined) window.leave(bytes);
          };
          for (const operation of operations) {
            if (operation === "leave") leaveOne();
            else {
              const number = entered++;
              window.enter(operation, () => {
                order.push(number);
                inside.push(operation);
              });
            }
            const sum = inside.reduce((total, bytes) => total + bytes, 0);
            expect(window.used).toBe(sum);
            expect(sum <= 10 || inside.length === 1).toBe(true);
          }
          while (inside.length > 0) leaveOne();
          expect(window.used).toBe(0);
          expect(order).toEqual(Array.from({ length: entered }, (_, i) => i));
        },
      ),
      { numRuns: 200 },
    );
  });
});
