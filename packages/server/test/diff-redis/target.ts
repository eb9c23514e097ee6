import type { NetConnectOpts } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Connection } from "./connection.ts";
import type { Outcome } from "./connection.ts";
import type { Step } from "./generate.ts";

/** A server that answers on an address. */
export interface Target {
  readonly name: string;
  readonly address: NetConnectOpts;
  /** Plants a difference: what becomes of a reply. For showing that differences are found. */
  readonly spoil?: (args: readonly string[], reply: Outcome) => Outcome;
}

/** Plays the steps on an empty database: what was answered to each. */
export async function play(target: Target, steps: readonly Step[]): Promise<Outcome[]> {
  const clients = new Map<number, Connection>();
  const outcomes: Outcome[] = [];
  try {
    const cleaner = await Connection.open(target.address);
    await cleaner.send([["FLUSHALL"]]);
    cleaner.close();
    for (let at = 0; at < steps.length;) {
      const first = steps[at];
      if (first === undefined) break;
      const batch = [first];
      for (
        let next = steps[at + 1];
        next?.pipelined === true && next.client === first.client;
        next = steps[at + batch.length]
      ) {
        batch.push(next);
      }
      if (first.pauseMs !== undefined) await delay(first.pauseMs);
      const client = clients.get(first.client) ?? (await Connection.open(target.address));
      clients.set(first.client, client);
      outcomes.push(...(await client.send(batch.map(({ args }) => args))));
      at += batch.length;
    }
  } finally {
    for (const client of clients.values()) client.close();
  }
  const { spoil } = target;
  return spoil === undefined
    ? outcomes
    : outcomes.map((outcome, at) => spoil(steps[at]?.args ?? [], outcome));
}
