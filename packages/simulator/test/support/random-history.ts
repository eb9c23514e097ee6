import type { SeededRandom } from "@seshat/raft/testing";
import type { Operation } from "../../src/index.js";
import type { Oracle } from "./oracles.js";
import { pick } from "./oracles.js";

/** One operation on its way: called, perhaps carried out, not answered yet. */
interface Flight<I, O> {
  readonly client: number;
  readonly input: I;
  readonly call: number;
  readonly fate: "ok" | "unknown" | "fail";
  output?: O;
  done: boolean;
}

/**
 * What clients of a system that really is linearizable might see: every operation takes effect at one moment between call and
 * answer, some are never answered, some are refused, and many things happen at the same tick of the clock.
 */
export function linearizableHistory<I, O>(
  oracle: Oracle<I, O>,
  random: SeededRandom,
  { clients, operations }: { readonly clients: number; readonly operations: number },
): Operation<I, O>[] {
  const ask = oracle.start();
  const keys = pick(random, [["k"], ["k", "l"]]);
  const history: Operation<I, O>[] = [];
  const flights = new Map<number, Flight<I, O>>();
  // The client has given up on these, and the system has not.
  const adrift: Flight<I, O>[] = [];
  let called = 0;
  let now = 0;
  while (called < operations || flights.size > 0) {
    now += pick(random, [0, 0, 1, 1, 3]);
    const late = random.u32() % 8 === 0 ? adrift.pop() : undefined;
    if (late !== undefined && !late.done) ask(late.input);
    const client = random.u32() % clients;
    const flight = flights.get(client);
    if (flight === undefined) {
      if (called === operations) continue;
      called += 1;
      const fate = pick(random, ["ok", "ok", "ok", "ok", "ok", "unknown", "fail"] as const);
      const input = oracle.randomInput(random, pick(random, keys));
      flights.set(client, { client, input, call: now, fate, done: false });
    } else if (
      !flight.done &&
      (flight.fate === "ok" || (flight.fate === "unknown" && random.u32() % 2 === 0))
    ) {
      flight.output = ask(flight.input);
      flight.done = true;
    } else {
      flights.delete(client);
      const { input, call, fate } = flight;
      if (fate === "ok")
        history.push({ client, input, call, status: fate, output: flight.output as O, ret: now });
      else if (fate === "fail") history.push({ client, input, call, status: fate, ret: now });
      else history.push({ client, input, call, status: fate, ret: pick(random, [now, null]) });
      if (fate === "unknown") adrift.push(flight);
    }
  }
  return history;
}

/** The history with something wrong in it, most often such that it can no longer be explained. */
export function spoil<I, O>(
  oracle: Oracle<I, O>,
  random: SeededRandom,
  history: readonly Operation<I, O>[],
): Operation<I, O>[] {
  const spoilt = [...history];
  const answered = spoilt.flatMap((operation, i) => (operation.status === "ok" ? [{ operation, i }] : []));
  if (answered.length === 0) return spoilt;
  const { operation, i } = pick(random, answered);
  const kind = random.u32() % 4;
  if (kind < 2) spoilt[i] = { ...operation, output: oracle.randomOutput(random, operation.input) };
  else if (kind === 2) spoilt[i] = { ...operation, status: "fail" };
  // Shorter, so that it no longer overlaps what explained it.
  else spoilt[i] = { ...operation, call: operation.ret };
  return spoilt;
}
