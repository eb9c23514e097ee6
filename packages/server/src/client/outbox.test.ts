import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Flushable } from "./outbox.js";
import { Outbox } from "./outbox.js";

function clientOf(outbox: Outbox, name: string, flushed: string[]): Flushable {
  const client = { flush: () => void flushed.push(name) };
  outbox.add(client);
  return client;
}

describe("an outbox", () => {
  it("flushes once at the end of the turn, not before, and at the end of every later one that asks for it", async () => {
    const outbox = new Outbox();
    const flushed: string[] = [];
    clientOf(outbox, "a", flushed);
    outbox.flushAtEndOfTurn();
    clientOf(outbox, "b", flushed);
    outbox.flushAtEndOfTurn();
    await Promise.resolve();
    expect(flushed).toEqual([]);
    await turn();
    expect(flushed).toEqual(["a", "b"]);

    clientOf(outbox, "c", flushed);
    outbox.flushAtEndOfTurn();
    await turn();
    expect(flushed).toEqual(["a", "b", "c"]);
  });

  it("flushes what was delivered as soon as all of it was, not at the end of the turn", async () => {
    const outbox = new Outbox();
    const flushed: string[] = [];
    const ended = turn().then(() => flushed.push("end of the turn"));
    clientOf(outbox, "a", flushed);
    outbox.flushSoon();
    clientOf(outbox, "b", flushed);
    outbox.flushSoon();
    expect(flushed).toEqual([]);
    await ended;
    expect(flushed).toEqual(["a", "b", "end of the turn"]);

    clientOf(outbox, "c", flushed);
    outbox.flushSoon();
    await turn();
    expect(flushed).toContain("c");
  });

  it("flushes those too that are added while others are flushed", async () => {
    const outbox = new Outbox();
    const flushed: string[] = [];
    outbox.add({ flush: () => void clientOf(outbox, "second", flushed) });
    outbox.flush();
    expect(flushed).toEqual(["second"]);
  });
});
