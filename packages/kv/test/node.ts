import type { EntryPart, KvConfig, Reply } from "../src/index.js";
import { KvStateMachine, NEEDS_TICK, encodeKvEntry } from "../src/index.js";

/** The arguments of a command, from words between blanks or as they are. A character is a byte. */
export function command(words: string | readonly string[]): Uint8Array[] {
  const list = typeof words === "string" ? words.split(" ") : words;
  return list.map((word) => new Uint8Array(Buffer.from(word, "latin1")));
}

/** A state machine as a test of one node uses it, with a clock that only the test moves. */
export class Node {
  readonly machine: KvStateMachine;
  timeMs = 1_000_000;
  index = 0;

  constructor(machine: KvStateMachine = new KvStateMachine()) {
    this.machine = machine;
  }

  /** Applies an entry of these parts. */
  apply(parts: readonly EntryPart[], timeMs: number = this.timeMs, seed = 4711): readonly Reply[] {
    this.index += 1;
    return this.machine.apply(this.index, { data: encodeKvEntry({ timeMs, seed, parts }) }).replies;
  }

  /** Lets the time pass. */
  tick(timeMs: number): void {
    this.timeMs = timeMs;
    this.apply([]);
  }

  /** Applies a command as an entry of its own. */
  run(words: string | readonly string[], seed?: number): unknown {
    const [reply] = this.apply([{ type: "command", args: command(words) }], this.timeMs, seed);
    return plain(reply as Reply);
  }

  /** Reads on the state as it is. */
  read(words: string | readonly string[], nowMs: number = this.timeMs, seed?: number): unknown {
    const reply = this.machine.read(command(words), nowMs, seed);
    return reply === NEEDS_TICK ? NEEDS_TICK : plain(reply);
  }

  transaction(commands: readonly string[], watched: readonly [key: string, version: number][] = []): unknown {
    const [reply] = this.apply([
      {
        type: "transaction",
        watched: watched.map(([key, version]) => ({ key: command([key])[0] as Uint8Array, version })),
        commands: commands.map((words) => command(words)),
      },
    ]);
    return plain(reply as Reply);
  }

  configure(config: Partial<KvConfig>): unknown {
    return plain(this.apply([{ type: "config", config }])[0] as Reply);
  }

  version(key: string): number {
    return this.machine.version(command([key])[0] as Uint8Array);
  }
}

/** A reply in the simplest words, as RESP2 has it: text for bytes, `+OK` and `-ERR` for statuses and errors. */
function plain(reply: Reply): unknown {
  if (reply === null || typeof reply === "number" || typeof reply === "bigint") return reply;
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString("latin1");
  if ("length" in reply) return reply.map(plain);
  switch (reply.type) {
    case "simple":
      return `+${reply.text}`;
    case "error":
      return `-${reply.message}`;
    case "nullArray":
      return "null array";
    case "map":
    case "pairs":
      return reply.entries.flat().map(plain);
    case "set":
      return reply.items.map(plain);
    case "double":
      return String(reply.value);
    default:
      return reply satisfies never;
  }
}

export function snapshotOf(machine: KvStateMachine): Uint8Array {
  const chunks = [...(machine.capture().chunks() as Iterable<Uint8Array>)];
  return new Uint8Array(Buffer.concat(chunks));
}

/** The same bytes, in pieces. */
export async function* pieces(
  bytes: Uint8Array,
  pieceBytes: number = bytes.length,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
}
