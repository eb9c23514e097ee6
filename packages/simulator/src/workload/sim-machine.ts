import type { StateCapture, StateMachine } from "@seshat/storage";

/** What clients do. `attempt` tells one request from another that asks for the same, and changes nothing. */
export type SimCommand = { readonly attempt?: number } & (
  | { readonly op: "set"; readonly key: string; readonly value: string }
  | { readonly op: "cas"; readonly key: string; readonly expected: string | null; readonly value: string }
  | { readonly op: "add"; readonly key: string; readonly by: number }
  | { readonly op: "insert"; readonly key: string; readonly member: string }
);

/** What a command answers. */
export type SimReply = string | number | boolean | null;

/** Never changed, but replaced. */
type Value = string | number | readonly string[];

interface Line {
  readonly value: Value;
  readonly bytes: Uint8Array;
}

/** Registers, counters and sets, by key: what the simulator's own clients write. */
export class SimMachine implements StateMachine<SimCommand, SimReply> {
  #values = new Map<string, Value>();
  /** How a value was written out last: most stay as they are from one capture to the next. */
  readonly #lines = new Map<string, Line>();
  readonly responseCodec = {
    encode: (reply: SimReply): Uint8Array => encoder.encode(JSON.stringify(reply)),
    decode: (bytes: Uint8Array): SimReply => JSON.parse(decoder.decode(bytes)) as SimReply,
  };

  apply(_index: number, command: SimCommand): SimReply {
    const { key } = command;
    switch (command.op) {
      case "set":
        this.#values.set(key, command.value);
        return null;
      case "cas": {
        const holds = (this.#values.get(key) ?? null) === command.expected;
        if (holds) this.#values.set(key, command.value);
        return holds;
      }
      case "add": {
        const sum = ((this.#values.get(key) as number | undefined) ?? 0) + command.by;
        this.#values.set(key, sum);
        return sum;
      }
      case "insert": {
        const members = (this.#values.get(key) as readonly string[] | undefined) ?? [];
        if (members.includes(command.member)) return false;
        this.#values.set(key, [...members, command.member].sort());
        return true;
      }
    }
  }

  /** What is under a key; null for nothing. */
  read(key: string): Value | null {
    return this.#values.get(key) ?? null;
  }

  capture(): StateCapture {
    const values = [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
    const lineOf = (key: string, value: Value): Uint8Array => this.#line(key, value);
    return {
      *chunks() {
        for (const [key, value] of values) yield lineOf(key, value);
      },
    };
  }

  #line(key: string, value: Value): Uint8Array {
    const known = this.#lines.get(key);
    if (known !== undefined && known.value === value) return known.bytes;
    const bytes = encoder.encode(`${JSON.stringify([key, value])}\n`);
    this.#lines.set(key, { value, bytes });
    return bytes;
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    for await (const chunk of chunks) text += decoder.decode(chunk);
    const lines = text.split("\n").filter((line) => line !== "");
    this.#values = new Map(lines.map((line) => JSON.parse(line) as [string, Value]));
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
