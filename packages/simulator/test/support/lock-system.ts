import type { TypeConfig } from "@seshat/common";
import { CodecError } from "@seshat/common";
import type { StateCapture, StateMachine } from "@seshat/storage";
import type { Model } from "../../src/linearizability/model.js";
import { stateMachineModel } from "../../src/linearizability/model.js";
import type { System } from "../../src/system.js";

/** Takes a lock for a while; a lock that has run out is free. */
export interface LockCommand {
  readonly op: "lock";
  readonly name: string;
  readonly owner: string;
  /** Milliseconds since 1970, on the clock of whoever asks. */
  readonly at: number;
  readonly forMs: number;
}

export type LockInput = LockCommand | { readonly op: "owner"; readonly name: string };

/** Who has the lock, and how often it changed hands. */
export interface LockOutput {
  readonly owner: string | null;
  readonly token: number;
}

interface Lock {
  owner: string;
  token: number;
  until: number;
}

export type LockTypes = TypeConfig<LockCommand, LockOutput>;

/** Locks with expiry, right in every way. Broken ones in tests override a method. */
export class LockMachine implements StateMachine<LockCommand, LockOutput> {
  protected locks = new Map<string, Lock>();

  apply(_index: number, command: LockCommand): LockOutput {
    const { name, owner, forMs } = command;
    const now = this.timeOf(command);
    const held = this.locks.get(name);
    if (held !== undefined && held.until > now && held.owner !== owner) {
      return { owner: held.owner, token: held.token };
    }
    const token = (held?.token ?? 0) + 1;
    this.locks.set(name, { owner, token, until: now + forMs });
    return { owner, token };
  }

  protected timeOf(command: LockCommand): number {
    return command.at;
  }

  owner(name: string): LockOutput {
    const { owner = null, token = 0 } = this.locks.get(name) ?? {};
    return { owner, token };
  }

  capture(): StateCapture {
    const locks = [...this.locks].sort(([a], [b]) => (a < b ? -1 : 1));
    const bytes = new TextEncoder().encode(JSON.stringify(locks));
    return { chunks: () => [bytes] };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
    try {
      this.locks = new Map(JSON.parse(text) as [string, Lock][]);
    } catch (thrown) {
      throw new CodecError("locks", 0, String(thrown));
    }
  }
}

const model: Model<Lock | null, LockInput, LockOutput> = stateMachineModel<
  Lock | null,
  LockInput,
  LockOutput
>({
  name: "locks",
  init: () => null,
  stateKey: (lock) => JSON.stringify(lock),
  partition: ({ name }) => name,
  sameOutput: (expected, seen) => expected.owner === seen.owner && expected.token === seen.token,
  apply(lock, input) {
    const { owner = null, token = 0 } = lock ?? {};
    if (input.op === "owner") return { state: lock, output: { owner, token } };
    if (lock !== null && lock.until > input.at && lock.owner !== input.owner) {
      return { state: lock, output: { owner: lock.owner, token } };
    }
    const next = { owner: input.owner, token: token + 1, until: input.at + input.forMs };
    return { state: next, output: { owner: next.owner, token: next.token } };
  },
});

/** Clients that contend for locks. */
export function lockSystem(makeMachine: () => LockMachine): System<LockTypes, LockInput, LockOutput> {
  return {
    makeMachine,
    operation(random, { name, keys, now }) {
      const lock = `lock${random.integer(1, keys)}`;
      if (random.chance(0.3)) return { op: "owner", name: lock };
      return { op: "lock", name: lock, owner: name, at: now, forMs: random.integer(10, 300) };
    },
    toCommand: (input) => (input.op === "lock" ? input : undefined),
    read: (machine: LockMachine, { name }) => machine.owner(name),
    lastReads: (keys) =>
      Array.from({ length: keys }, (_, i) => ({ op: "owner", name: `lock${i + 1}` }) as const),
    model,
  };
}
