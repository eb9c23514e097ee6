import { connect } from "node:net";
import { encodeCommand } from "@seshat/resp";
import { latin1 } from "./connection.ts";
import { fewest } from "./minimize.ts";
import { seededRandom, seedOfCase } from "./random.ts";
import type { Random } from "./random.ts";
import type { Target } from "./target.ts";

const SILENCE_MS = 20_000;

/** A stream that two servers answer differently, in its pieces, and what they answered. */
export interface FoundStream {
  readonly index: number;
  readonly pieces: readonly string[];
  readonly redis: string;
  readonly other: string;
}

export interface StreamOptions {
  readonly redis: Target;
  readonly other: Target;
  readonly seed: number;
  readonly streams: number;
  readonly from?: number;
  readonly mostDifferences: number;
}

/** Bytes of the protocol, good and broken, sent as they are: every answer until the connection is closed has to be the same. */
export async function diffStreams(options: StreamOptions): Promise<FoundStream[]> {
  const { redis, other, seed, from = 0 } = options;
  const found: FoundStream[] = [];
  for (let index = from; index < from + options.streams && found.length < options.mostDifferences; index++) {
    const differs = async (pieces: readonly string[]): Promise<boolean> => {
      const [left, right] = await Promise.all([answers(redis, pieces), answers(other, pieces)]);
      return left !== right;
    };
    const pieces = generateStream(seed, index);
    if (!(await differs(pieces))) continue;
    const least = await fewest(pieces, differs);
    found.push({
      index,
      pieces: least,
      redis: await answers(redis, least),
      other: await answers(other, least),
    });
  }
  return found;
}

/**
 * No NUL, and no more than a million arguments: there the two differ on purpose, as the README of @seshat/resp says. No word that Redis takes for an
 * attack from a browser.
 */
const BROKEN: readonly string[] = [
  "*1\r\n",
  "*2\r\n",
  "*3\r\n$3\r\n",
  "*0\r\n",
  "*-1\r\n",
  "*\r\n",
  "*x\r\n",
  "*01\r\n",
  "*10000000000\r\n",
  "*1\r\n$4\r\n",
  "$0\r\n\r\n",
  "$-1\r\n",
  "$3\r\n",
  "$x\r\n",
  "$536870913\r\n",
  "$4\r\nPING\r\n",
  ":1\r\n",
  "\r\n",
  "\n",
  "\r",
  "PING\r\n",
  "PING\n",
  "ping there\r\n",
  'ECHO "a b"\r\n',
  "ECHO 'it\\'s'\n",
  'ECHO "\\x41\\n\\q"\r\n',
  'ECHO "open\r\n',
  'ECHO "a"b\r\n',
  "ECHO a'b c'\r\n",
  "SET k v\r\n",
  "GET k\r\n",
  "  GET   k  \r\n",
  "\xff\xfe\r\n",
  "x".repeat(3000),
  "MULTI\r\n",
  "EXEC\r\n",
  "QUIT\r\n",
  "nosuch a b c\r\n",
  "SET k\r\n",
];

const GOOD: readonly (readonly string[])[] = [
  ["PING"],
  ["ECHO", "a\r\nb"],
  ["SET", "k", "v"],
  ["GET", "k"],
  ["INCR", "k"],
  ["ECHO", "x".repeat(100)],
];

function generateStream(seed: number, index: number): string[] {
  const random = seededRandom(seedOfCase(seed ^ 0x5555_5555, index));
  return Array.from({ length: 1 + random.below(10) }, () => piece(random));
}

function piece(random: Random): string {
  if (random.chance(0.4)) return random.pick(BROKEN);
  const whole = Buffer.from(encodeCommand(random.pick(GOOD).map(latin1))).toString("latin1");
  if (random.chance(0.8)) return whole;
  const at = random.below(whole.length);
  const byte = String.fromCharCode(1 + random.below(255));
  return random.pick([whole.slice(0, at), whole.slice(at), whole.slice(0, at) + byte + whole.slice(at + 1)]);
}

/** Sends the pieces, says that no more will come, and reads to the end. */
async function answers(target: Target, pieces: readonly string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ ...target.address, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  const whole = (ending: string): void => resolve(Buffer.concat(chunks).toString("latin1") + ending);
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("end", () => whole(""));
  // Redis closes with a reset where bytes of the client are left unread.
  socket.on("error", () => whole(""));
  const timer = setTimeout(() => whole("... and no end"), SILENCE_MS);
  socket.end(Buffer.concat([["FLUSHALL\r\n"], pieces].flat().map(latin1)));
  const text = await promise;
  clearTimeout(timer);
  socket.destroy();
  return text;
}
