import { describe, expect, test } from "vitest";
import { statusWith } from "../../test/support/fake-target.js";
import { MAX_LOOKS, QUIET_LOOKS, watchChanges, watchLive } from "./watch.js";

/** Looks that find the given numbers of keys, and the last of them for ever. */
function setUp(found: (look: number) => number) {
  const pauses: number[] = [];
  const shown: number[] = [];
  const end = new AbortController();
  let looks = 0;
  const parts = {
    look: () => statusWith({ keys: found((looks += 1)) }),
    pause: (ms: number) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  };
  const list = (): Promise<string> =>
    watchChanges(
      parts,
      50,
      (status) => {
        shown.push(status.keys);
        return Promise.resolve();
      },
      end.signal,
    );
  return { parts, list, pauses, shown, end, looks: () => looks };
}

describe("watchChanges", () => {
  test("shows the status once, and again each time that it has changed", async () => {
    const { list, shown, pauses, looks } = setUp((look) => Math.min(3, Math.ceil(look / 4)));
    expect(await list()).toBe("OK, nothing changed for 500 ms");
    expect(shown).toEqual([1, 2, 3]);
    // The third is found at the ninth look; ten more show nothing new.
    expect(looks()).toBe(9 + QUIET_LOOKS);
    expect(new Set(pauses)).toEqual(new Set([50]));
  });

  test("a change just before it would end keeps it going", async () => {
    const { list, shown } = setUp((look) => (look <= QUIET_LOOKS ? 1 : 2));
    await list();
    expect(shown).toEqual([1, 2]);
    const quiet = setUp((look) => (look <= QUIET_LOOKS + 1 ? 1 : 2));
    await quiet.list();
    expect(quiet.shown).toEqual([1]);
  });

  test("ends after a hundred looks, though there is something new in each", async () => {
    const { list, shown, looks } = setUp((look) => look);
    expect(await list()).toBe(`OK, looked ${MAX_LOOKS} times, and it may still change`);
    expect(shown).toHaveLength(MAX_LOOKS);
    expect(looks()).toBe(MAX_LOOKS);
  });

  test("waits for whoever takes what it shows", async () => {
    const { parts, looks } = setUp((look) => look);
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = new AbortController();
    const done = watchChanges(parts, 50, () => promise, end.signal);
    await Promise.resolve();
    expect(looks()).toBe(1);
    end.abort();
    resolve();
    expect(await done).toBe("OK, interrupted");
    expect(looks()).toBe(1);
  });
});

describe("watchLive", () => {
  test("draws at once and after each pause, until it is ended, and never after", async () => {
    const { parts, pauses } = setUp((look) => look);
    const end = new AbortController();
    const drawn: number[] = [];
    await watchLive(
      parts,
      70,
      ({ keys }) => {
        drawn.push(keys);
        if (keys === 3) end.abort();
      },
      end.signal,
    );
    expect(drawn).toEqual([1, 2, 3]);
    expect(new Set(pauses)).toEqual(new Set([70]));
  });
});
