import { LatencyHistogram } from "@seshat/common";
import { encodeCommand } from "@seshat/resp";
import { isErrorReply } from "../commands/error-reply.js";
import { CliError } from "./exit-codes.js";
import type { CliIo } from "./io.js";
import type { Target } from "./resp-connection.js";
import { RespConnection } from "./resp-connection.js";

/** What is measured. */
export interface BenchOptions {
  readonly clients: number;
  /** Commands that each client has under way. */
  readonly pipeline: number;
  readonly seconds: number;
  readonly valueBytes: number;
  readonly keys: number;
}

/** Writes and then reads keys `bench:<n>`, and shows how many a second, and how long they took. Not the measure of record: the load comes from one thread. */
export async function bench(target: Target, options: BenchOptions, io: CliIo): Promise<void> {
  const value = "x".repeat(options.valueBytes);
  const set = (key: string): Uint8Array => encodeCommand(["SET", key, value]);
  const get = (key: string): Uint8Array => encodeCommand(["GET", key]);
  io.stdout.write(
    `${options.clients} clients, ${options.pipeline} commands under way each, values of ${options.valueBytes} bytes\n`,
  );
  for (const [name, make] of [
    ["SET", set],
    ["GET", get],
  ] as const) {
    const { count, seconds, latency, errors, firstError } = await measure(
      target,
      options,
      make,
      io.interrupt,
    );
    const ms = (share: number): string => latency.percentileMs(share).toFixed(2);
    io.stdout.write(
      `${name}  ${Math.round(count / seconds)} a second, p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms, p99.9 ${ms(0.999)} ms${errors === 0 ? "" : `, ${errors} ERRORS`}\n`,
    );
    if (errors > 0)
      throw new CliError(`${errors} of ${count} commands failed, the first with: ${firstError}`);
  }
}

interface Measured {
  readonly count: number;
  readonly seconds: number;
  readonly latency: LatencyHistogram;
  readonly errors: number;
  /** What the first of them said. */
  readonly firstError: string;
}

async function measure(
  target: Target,
  { clients, pipeline, seconds, keys }: BenchOptions,
  make: (key: string) => Uint8Array,
  interrupt: AbortSignal,
): Promise<Measured> {
  const connections = await Promise.all(Array.from({ length: clients }, () => RespConnection.open(target)));
  const latency = new LatencyHistogram();
  let [count, errors] = [0, 0];
  let firstError = "";
  const started = performance.now();
  const until = started + seconds * 1000;
  const drive = async (connection: RespConnection): Promise<void> => {
    while (performance.now() < until && !interrupt.aborted) {
      const began = performance.now();
      const reply = await connection.send(make(`bench:${Math.floor(Math.random() * keys)}`));
      latency.record(performance.now() - began);
      count += 1;
      if (!isErrorReply(reply)) continue;
      if (errors === 0) firstError = reply.message;
      errors += 1;
    }
  };
  try {
    await Promise.all(
      connections.flatMap((connection) => Array.from({ length: pipeline }, () => drive(connection))),
    );
    return { count, seconds: (performance.now() - started) / 1000, latency, errors, firstError };
  } finally {
    for (const connection of connections) connection[Symbol.dispose]();
  }
}
