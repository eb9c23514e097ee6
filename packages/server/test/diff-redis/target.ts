import type { NetConnectOpts } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Connection, latin1, SILENT } from "./connection.ts";
import type { Outcome } from "./connection.ts";
import { encoded } from "./encoded.ts";
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
  const clientOf = async (step: Step): Promise<Connection> => {
    const client = clients.get(step.client) ?? (await Connection.open(target.address));
    clients.set(step.client, client);
    return client;
  };
  try {
    const cleaner = await Connection.open(target.address);
    await cleaner.send([["FLUSHALL"]]);
    cleaner.close();
    for (let at = 0; at < steps.length;) {
      const first = steps[at];
      if (first === undefined) break;
      if (first.cursorAt !== undefined) {
        outcomes.push(await iterate(await clientOf(first), first));
        at += 1;
        continue;
      }
      const batch = [first];
      for (
        let next = steps[at + 1];
        next?.pipelined === true && next.client === first.client && next.cursorAt === undefined;
        next = steps[at + batch.length]
      ) {
        batch.push(next);
      }
      if (first.pauseMs !== undefined) await delay(first.pauseMs);
      const client = await clientOf(first);
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

/** More steps than any iteration here takes: who passes it walks in circles. */
const MOST_ITERATIONS = 5000;

/** Everything that a cursor comes by, in order, each once; or what else was answered. */
async function iterate(client: Connection, { args, cursorAt = 0 }: Step): Promise<Outcome> {
  const found = new Set<string>();
  const width = /^[HZ]/i.test(args[0] ?? "") ? 2 : 1;
  let cursor = "0";
  for (let step = 0; step < MOST_ITERATIONS; step++) {
    const [reply = null] = await client.send([args.with(cursorAt, cursor)]);
    const [next, items] = Array.isArray(reply) ? reply : [];
    if (!(next instanceof Uint8Array) || !Array.isArray(items)) return reply;
    for (let at = 0; at < items.length; at += width) {
      const element: Outcome = items.slice(at, at + width);
      found.add(encoded(element));
    }
    cursor = Buffer.from(next).toString("latin1");
    if (cursor === "0") return [...found].toSorted().map(latin1);
  }
  return SILENT;
}
