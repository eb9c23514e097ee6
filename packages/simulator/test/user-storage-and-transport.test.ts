import { describe, expect, test } from "vitest";
import { simulate } from "../src/simulation.js";
import type { SimulationResult } from "../src/simulation.js";
import { bufferedStore } from "./support/buffered-store.js";
import type { Mistakes, Written } from "./support/bytes-transport.js";
import { bytesTransport } from "./support/bytes-transport.js";
import { LockMachine, lockSystem } from "./support/lock-system.js";
import { RESTARTS } from "./support/restarts.js";

const locks = lockSystem(() => new LockMachine());

describe("a user's storage", () => {
  test("that keeps what it says is durable passes, and what it cannot do is not done to it", async () => {
    const plan = {
      ...RESTARTS,
      actions: [...RESTARTS.actions, { at: 650, act: { type: "failSync", target: 0 } } as const],
    };
    const { violation, coverage } = await simulate(plan, { ...locks, makeStore: () => bufferedStore() });
    expect(violation).toBeNull();
    expect(coverage.get("node stopped by a disk error")).toBeUndefined();
  });

  test("that cannot be opened fails the run with its own error", async () => {
    const open = (): Promise<never> => Promise.reject(new Error("no such directory"));
    const { violation } = await simulate(RESTARTS, { ...locks, makeStore: () => ({ open, crash() {} }) });
    expect(violation?.message).toBe("no such directory");
  });

  test("that says so before it is, is caught", async () => {
    const found: string[] = [];
    // A crash has to come within the 2 ms in which something is not written.
    for (let seed = 1; seed <= 20 && found.length === 0; seed += 1) {
      const plan = { ...RESTARTS, seed };
      const { violation } = await simulate(plan, { ...locks, makeStore: () => bufferedStore(true) });
      if (violation !== null) found.push(violation.message);
    }
    expect(found[0]).toMatch(/^A13 what was durable is read back: node \d/);
  });
});

describe("a user's transport", () => {
  const over = (mistakes: Mistakes): Promise<SimulationResult> =>
    simulate(RESTARTS, { ...locks, transport: bytesTransport(mistakes) });

  test("that brings over what it is given passes", async () => {
    const { violation, coverage } = await over({});
    expect(violation).toBeNull();
    expect(coverage.get("messages delivered")).toBeGreaterThan(1_000);
  });

  test("that drops a field is caught, and the field named", async () => {
    const write = ({ call, request }: Written): Written => {
      const { leaderCommit: _, ...rest } = request;
      return { call, request: rest };
    };
    const { violation } = await over({ write });
    expect(violation?.message).toMatch(
      /^N1 what arrives was sent: .*leaderCommit was \d+ when it was sent, and is undefined now/,
    );
  });

  test("that loses precision within entries is caught, and the entry named", async () => {
    const write = ({ call, request }: Written): Written => {
      const text = JSON.stringify(request["entries"]);
      if (text === undefined || text.includes("membership")) return { call, request };
      const round = (key: string, value: unknown): unknown =>
        key === "at" ? Math.round(value as number) : value;
      return { call, request: { ...request, entries: JSON.parse(text, round) as unknown } };
    };
    const { violation } = await over({ write });
    expect(violation?.message).toMatch(/entries\[\d+\]\.payload\.data\.at was [\d.]+ when it was sent/);
  });

  test("that brings an answer to another request is caught", async () => {
    const { violation } = await over({ answersInTurn: true });
    expect(violation?.message).toMatch(/^N2 an answer belongs to its own request: /);
  });

  test("that damages the content of a snapshot is caught", async () => {
    const write = ({ call, request }: Written): Written => {
      if (call !== "installSnapshot") return { call, request };
      const data = (request["data"] as Uint8Array).map((byte) => byte ^ 1);
      return { call, request: { ...request, data } };
    };
    const joins = [{ at: 500, act: { type: "addLearner" } } as const];
    const { violation } = await simulate(
      { ...RESTARTS, spares: [4], actions: joins },
      { ...locks, transport: bytesTransport({ write }) },
    );
    expect(violation?.message).toMatch(/data was bytes [\da-f]+/);
  });
});
