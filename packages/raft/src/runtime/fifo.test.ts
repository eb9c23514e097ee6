import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fifo } from "./fifo.js";

describe("a queue", () => {
  test("gives back what was put in, in that order, however often its ring goes round and grows", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -60, max: 60 }), { maxLength: 100 }), (moves) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        let next = 0;
        for (const move of moves) {
          for (let i = 0; i < move; i++) {
            fifo.push(next);
            model.push(next++);
          }
          for (let i = 0; i > move; i--) expect(fifo.shift()).toBe(model.shift());
          expect([fifo.length, fifo.first, fifo.last]).toEqual([model.length, model[0], model.at(-1)]);
        }
        expect(fifo.takeAll()).toEqual(model);
        expect(fifo.length).toBe(0);
      }),
    );
  });

  test("the last can be replaced, and no other", () => {
    const fifo = new Fifo<string>();
    for (const item of ["a", "b", "c"]) fifo.push(item);
    fifo.last = "d";
    expect(fifo.takeAll()).toEqual(["a", "b", "d"]);
  });

  test("a push while all are taken is taken too", () => {
    const fifo = new Fifo<number>();
    fifo.push(1);
    const seen: (number | undefined)[] = [];
    while (fifo.length > 0) {
      const item = fifo.shift();
      seen.push(item);
      if (item === 1) fifo.push(2);
    }
    expect(seen).toEqual([1, 2]);
    expect(fifo.shift()).toBeUndefined();
  });
});
