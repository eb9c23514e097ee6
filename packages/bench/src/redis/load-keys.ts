import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { VerificationError } from "../cluster/tally.js";
import { VALUE_BYTES } from "./run-benchmark.js";

/** Keys of one MSET, and how many of those are sent at once. */
const KEYS_A_COMMAND = 100;
const SENT_AT_ONCE = 32;
const OK = "+OK\r\n";

/** Gives a server the keys 0 to `count` - 1 of redis-benchmark. @throws {VerificationError} when it answers anything but OK. */
export async function loadKeys(port: number, count: number): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  const value = "v".repeat(VALUE_BYTES);
  try {
    const keysAtOnce = KEYS_A_COMMAND * SENT_AT_ONCE;
    for (let first = 0; first < count; first += keysAtOnce) {
      const end = Math.min(count, first + keysAtOnce);
      const commands: string[] = [];
      for (let key = first; key < end; key += KEYS_A_COMMAND)
        commands.push(mset(key, Math.min(end, key + KEYS_A_COMMAND), value));
      socket.write(commands.join(""));
      await expectOks(socket, commands.length);
    }
  } finally {
    socket.destroy();
  }
}

async function expectOks(socket: Socket, count: number): Promise<void> {
  const expected = OK.repeat(count);
  let answer = "";
  while (answer.length < expected.length && expected.startsWith(answer))
    answer += String((await once(socket, "data"))[0]);
  if (answer !== expected)
    throw new VerificationError(`a server was to take keys, and said ${JSON.stringify(answer.slice(-200))}`);
}

function mset(since: number, until: number, value: string): string {
  let command = `*${1 + 2 * (until - since)}\r\n$4\r\nMSET\r\n`;
  for (let key = since; key < until; key++) {
    command += `$16\r\nkey:${String(key).padStart(12, "0")}\r\n$${value.length}\r\n${value}\r\n`;
  }
  return command;
}
